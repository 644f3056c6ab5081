"""Randomness as a function of (seed, step)."""

from typing import Any

import lightning
import numpy as np
import torch


class StepSeed(lightning.Callback):
    """Seed torch anew before every training step.

    Dropout and whatever else draws from torch's global generator then depends on the seed and the step alone,
    so that a run continued from `last.ckpt` takes the same steps as one that was never interrupted. (Once an
    epoch is not enough: a loader's iterator draws a number too, before or after the epoch's hook, depending
    on whether the epoch is the first of its process.)
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Derive the step's seed; processes of a distributed run get different ones."""
        place = [self.seed, trainer.current_epoch, batch_idx, trainer.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))
