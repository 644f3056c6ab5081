"""One progress bar per fold."""

import sys
from typing import Any

import lightning
from lightning.pytorch.callbacks import ProgressBar
from tqdm.auto import tqdm


class FoldProgress(ProgressBar):
    """One bar over all epochs of a fold, with the validation AUROC.

    Args:
        description: Text before the bar, such as `resnet18, fold 0`.
    """

    def __init__(self, description: str) -> None:
        super().__init__()
        self.description = description
        self._bar: tqdm[Any] | None = None
        self._enabled = True

    def disable(self) -> None:
        """Show nothing (Lightning calls this on every process but the first)."""
        self._enabled = False

    def enable(self) -> None:
        """Show the bar."""
        self._enabled = True

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Open the bar at the step from which the run continues."""
        super().on_train_start(trainer, pl_module)
        self._bar = tqdm(
            desc=self.description,
            total=int(trainer.estimated_stepping_batches),
            initial=trainer.global_step,
            unit="step",
            leave=False,
            dynamic_ncols=True,
            # Rarely in a log file, which gets a line for each update.
            mininterval=0.1 if sys.stderr.isatty() else 30,
            disable=not self._enabled,
        )

    def on_train_batch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        """Advance the bar by one step."""
        if self._bar is not None:
            self._bar.update(1)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Show the epoch and its validation AUROC."""
        auroc = trainer.callback_metrics.get("val/auroc")
        if self._bar is not None and auroc is not None:
            self._bar.set_postfix_str(f"epoch {trainer.current_epoch}, val AUROC {float(auroc):.3f}")

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Close the bar."""
        self._close()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Close the bar before the error message is printed."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
