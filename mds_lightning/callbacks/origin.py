"""Binds checkpoints to the fold that they are trained on."""

from collections.abc import Mapping
from typing import Any

import lightning

from mds_lightning.studies.checkpoint_origin import ORIGIN, list_differences
from mds_lightning.studies.recorded_files import AlteredRunError


class OriginRecord(lightning.Callback):
    """Write the run into its checkpoints, and refuse to continue from the checkpoint of another run.

    Args:
        origin: Result of `studies.checkpoint_origin.describe_origin`.
    """

    def __init__(self, origin: Mapping[str, Any]) -> None:
        self.origin = dict(origin)

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the origin."""
        checkpoint[ORIGIN] = self.origin

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Compare the origin with that of the checkpoint.

        Raises:
            AlteredRunError: The checkpoint is of another fold, seed, split or cohort.
        """
        if differences := list_differences(checkpoint.get(ORIGIN, {}), self.origin):
            raise AlteredRunError(
                f"{trainer.ckpt_path} is the checkpoint of another run ({'; '.join(differences)})",
                "restore it, or delete the folder of its run and train the fold again",
            )
