"""Which epochs are kept, and what a run remembers when it is continued, also in another folder."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from mds_lightning.callbacks.early_stopping import ResumableEarlyStopping
from mds_lightning.callbacks.fold_checkpoint import FoldCheckpoint
from mds_lightning.tracking.csv import MetricsFile

#: Loss on the validation images in each epoch. Of the second half, from epoch 2 on, the fourth is the best.
LOSSES = (0.5, 0.3, 0.4, 0.31, 0.6)


class Scripted(lightning.LightningModule):
    """A model whose validation loss is given."""

    def __init__(self, losses: Sequence[float] = LOSSES) -> None:
        super().__init__()
        self.losses = losses
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, batch_idx):
        loss = self.layer(batch).sum()
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val/loss", self.losses[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


class KilledError(Exception):
    """What ends a process at once."""


class Interruption(lightning.Callback):
    """Ends the process at the start of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if trainer.current_epoch == self.epoch:
            raise KilledError


def fit(
    run: Path,
    finished: int,
    *callbacks: lightning.Callback,
    losses: Sequence[float] = LOSSES,
    checkpoint: type[FoldCheckpoint] = FoldCheckpoint,
) -> lightning.Trainer:
    """Train from `last.ckpt`, if there is one, and interrupt the run after so many epochs have finished."""
    torch.manual_seed(0)
    last = run / "checkpoints" / "last.ckpt"
    trainer = lightning.Trainer(
        max_epochs=len(losses),
        accelerator="cpu",
        logger=MetricsFile(run / "metrics.csv"),
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[
            checkpoint(run / "checkpoints", "val/loss", "min"),
            Interruption(finished),
            *callbacks,
        ],
    )
    rows = DataLoader(torch.ones(2, 1), batch_size=1)
    with contextlib.suppress(KilledError):
        trainer.fit(Scripted(losses), rows, rows, ckpt_path=last if last.is_file() else None)
    return trainer


def epoch_of(run: Path, name: str) -> int:
    loaded: dict[str, Any] = torch.load(run / "checkpoints" / name, weights_only=True)
    return int(loaded["epoch"])


def state_of(run: Path) -> dict[str, Any]:
    callbacks = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"]
    [state] = [state for key, state in callbacks.items() if key.startswith("FoldCheckpoint")]
    return dict(state)


def test_the_last_epoch_is_kept_whether_it_is_the_best_or_not(tmp_path: Path) -> None:
    for epoch, best in enumerate((0, 1, 2, 3, 3)):
        fit(tmp_path, epoch + 1)
        assert (epoch_of(tmp_path, "last.ckpt"), epoch_of(tmp_path, "best.ckpt")) == (epoch, best)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]


def test_an_early_epoch_is_not_kept_however_small_its_loss(tmp_path: Path) -> None:
    fit(tmp_path, 6, losses=(0.1, 0.9, 0.8, 0.7, 0.6, 0.65))
    assert epoch_of(tmp_path, "best.ckpt") == 4


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_run_that_was_moved_remembers_its_best_epoch(tmp_path: Path, stop: int) -> None:
    fit(tmp_path / "whole", 5)
    fit(tmp_path / "here", stop)
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "here").rename(tmp_path / "elsewhere" / "renamed")
    fit(moved, 5)
    assert epoch_of(moved, "best.ckpt") == 3
    assert state_of(moved) == state_of(tmp_path / "whole")
    for name in ("best.ckpt", "last.ckpt"):
        expected, found = ((run / "checkpoints" / name).read_bytes() for run in (tmp_path / "whole", moved))
        assert expected == found
        assert str(tmp_path).encode() not in found


def test_the_metrics_of_an_epoch_are_on_disk_before_its_checkpoint(tmp_path: Path) -> None:
    class Killed(FoldCheckpoint):
        def on_train_epoch_end(
            self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
        ) -> None:
            super().on_train_epoch_end(trainer, pl_module)
            if trainer.current_epoch == 2:
                raise KilledError

    fit(tmp_path / "whole", 5)
    fit(tmp_path / "killed", 5, checkpoint=Killed)
    assert not pd.read_csv(tmp_path / "killed" / "metrics.csv")["epoch"].isin([3, 4]).any()
    fit(tmp_path / "killed", 5)
    whole, killed = (pd.read_csv(tmp_path / name / "metrics.csv") for name in ("whole", "killed"))
    assert whole["train/loss"].notna().all()
    pd.testing.assert_frame_equal(whole, killed, check_exact=True, check_like=True)


def test_early_stopping_counts_the_epochs_of_the_second_half_before_an_interruption(tmp_path: Path) -> None:
    losses = (0.1, 0.2, 0.9, 0.9, 0.3, 0.4, 0.5, 0.2)
    for interrupted in (3, 6, 8, 8):  # in the first half, in the second, not at all, and once more
        stopping = ResumableEarlyStopping("val/loss", patience=2, check_on_train_epoch_end=True)
        fit(tmp_path, interrupted, stopping, losses=losses)
        assert epoch_of(tmp_path, "last.ckpt") == min(interrupted, 7) - 1
    last = (tmp_path / "checkpoints" / "last.ckpt").read_bytes()
    fit(
        tmp_path,
        8,
        ResumableEarlyStopping("val/loss", patience=2, check_on_train_epoch_end=True),
        losses=losses,
    )
    assert (tmp_path / "checkpoints" / "last.ckpt").read_bytes() == last
