"""Early stopping in the second half of a training, continued correctly after an interruption."""

import lightning
from lightning.pytorch.callbacks import EarlyStopping

from mds_lightning.studies.candidate_epochs import first_candidate_epoch


class ResumableEarlyStopping(EarlyStopping):
    """Lightning's `EarlyStopping` for the epochs that may be selected, which stays stopped when continued.

    Epochs before `first_candidate_epoch` are neither compared nor counted.

    Lightning saves the number of epochs without improvement in the checkpoint, but not that training was
    stopped: a run that was interrupted between its last epoch and its test would train one more epoch, and
    end with other weights than an uninterrupted run.
    """

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop immediately if the patience was exhausted before the interruption."""
        super().on_train_start(trainer, pl_module)
        if self.wait_count >= self.patience:
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Compare the epoch, if it may be selected."""
        if trainer.current_epoch >= first_candidate_epoch(trainer.max_epochs):
            super().on_train_epoch_end(trainer, pl_module)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Compare the epoch, if it may be selected."""
        if trainer.current_epoch >= first_candidate_epoch(trainer.max_epochs):
            super().on_validation_end(trainer, pl_module)
