"""The checkpoints of a run: the epoch that was selected, and the last one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import lightning
from lightning.pytorch.callbacks import ModelCheckpoint

from mds_lightning.studies.candidate_epochs import first_candidate_epoch
from mds_lightning.tracking.csv import MetricsFile

#: Keys of `ModelCheckpoint.state_dict` that hold the path of a file.
_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")


class FoldCheckpoint(ModelCheckpoint):
    """Write `best.ckpt` in the epochs that improve `monitor`, and `last.ckpt` in every epoch.

    Epochs from `first_candidate_epoch` on are compared; before it, the newest epoch is kept.

    A run is continued from `last.ckpt`, so a kill costs the current epoch at most. Lightning's
    `ModelCheckpoint` (2.6) writes `last.ckpt` only in epochs that improve. It also stores absolute paths, and
    forgets the best score if they differ when the run is continued: the next epoch would then replace
    `best.ckpt`, even if it is worse. Here, names of files are stored, so a run directory can be moved.

    Args:
        dirpath: Folder of the two files.
        monitor: Logged metric that is compared.
        mode: Whether the smallest or the largest value is the best; of equal ones, the first.
    """

    def __init__(self, dirpath: str | Path, monitor: str, mode: Literal["min", "max"]) -> None:
        super().__init__(
            dirpath=dirpath,
            filename="best",
            monitor=monitor,
            mode=mode,
            save_last=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the files of the epoch, and before them its row of `metrics.csv`.

        Lightning logs the metrics of training after this hook. A run that is killed in between continues with
        the next epoch and would lack them.
        """
        for logger in trainer.loggers:
            if isinstance(logger, MetricsFile):
                metrics = {name: float(value) for name, value in trainer.logged_metrics.items()}
                logger.log_metrics({**metrics, "epoch": trainer.current_epoch})
                logger.save()
        if trainer.current_epoch <= first_candidate_epoch(trainer.max_epochs):
            self._forget_scores()
        super().on_train_epoch_end(trainer, pl_module)
        # Nothing has been saved in this step if the epoch is not the best one.
        if not self._should_skip_saving_checkpoint(trainer):
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Nothing: `last.ckpt` is that of the last epoch."""

    def _forget_scores(self) -> None:
        """Make the next epoch the best one, whatever its score; its file replaces the present one."""
        self.best_k_models = {}
        self.best_model_score = None
        self.kth_best_model_path = self.best_model_path = ""

    def state_dict(self) -> dict[str, Any]:
        """The state of `ModelCheckpoint` with names instead of paths."""
        return {**_rename(super().state_dict(), Path()), "dirpath": ""}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of a run whose directory may have been elsewhere."""
        assert self.dirpath is not None
        super().load_state_dict({**_rename(state_dict, Path(self.dirpath)), "dirpath": self.dirpath})
        # Lightning forgets it: the checkpoints of a continued run would differ from those of another.
        self.current_score = state_dict["current_score"]


def _rename(state: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A state whose files are in `folder`."""

    def rename(path: str) -> str:
        return str(folder / Path(path).name) if path else ""

    models = {rename(path): score for path, score in state["best_k_models"].items()}
    return {**state, **{key: rename(state[key]) for key in _PATHS}, "best_k_models": models}
