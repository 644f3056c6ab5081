"""Randomness as a function of (seed, epoch)."""

import lightning
import numpy as np
import torch


class EpochSeed(lightning.Callback):
    """Seed torch anew at the start of every training epoch.

    Dropout and whatever else draws from torch's global generator then depends on the seed and the epoch
    alone, so that a run continued from `last.ckpt` takes the same steps as one that was never interrupted.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Derive the epoch's seed; processes of a distributed run get different ones."""
        sequence = np.random.SeedSequence([self.seed, trainer.current_epoch, trainer.global_rank])
        torch.manual_seed(int(sequence.generate_state(1)[0]))
