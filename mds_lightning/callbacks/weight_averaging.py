"""Exponential moving average of the weights, which later predictions of the same trainer use."""

from typing import Any

import lightning
from lightning.pytorch.callbacks import EMAWeightAveraging


class WeightAveraging(EMAWeightAveraging):
    """Lightning's `EMAWeightAveraging`, which ends with the fit.

    Checkpoints hold the average as `state_dict`. Lightning's callback keeps its own copy after the fit: if
    the same trainer then loads a checkpoint for testing or prediction, the model gets the weights that were
    not averaged, and its predictions differ from those of the checkpoint in any other process.
    """

    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Drop the average after the fit: the model and the checkpoints hold it."""
        super().teardown(trainer, pl_module, stage)
        if stage == "fit":
            self._average_model = None

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Continue the average when a fit continues; otherwise the weights are loaded as they are."""
        if self._average_model is not None:
            super().on_load_checkpoint(trainer, pl_module, checkpoint)
