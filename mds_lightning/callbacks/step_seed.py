"""Random numbers that depend on the seed and the step only."""

from typing import Any

import lightning
import numpy as np
import torch


class StepSeed(lightning.Callback):
    """Seed torch before every training step.

    Dropout and other users of torch's global generator then depend on the seed and the step only, so that a
    run continued from `last.ckpt` takes the same steps as an uninterrupted one. Seeding once per epoch is not
    enough: the iterator of a loader also draws a number, before or after the epoch's hook, depending on
    whether the epoch is the first of its process.

    Args:
        seed: Seed of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed torch from seed, epoch, batch and rank; the processes of a distributed run differ."""
        entropy = [self.seed, trainer.current_epoch, batch_idx, trainer.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
