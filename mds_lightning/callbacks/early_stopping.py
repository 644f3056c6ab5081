"""Early stopping that is continued correctly after an interruption."""

import lightning
from lightning.pytorch.callbacks import EarlyStopping


class ResumableEarlyStopping(EarlyStopping):
    """Lightning's `EarlyStopping`, which stays stopped when the run is continued.

    Lightning saves the number of epochs without improvement in the checkpoint, but not that training was
    stopped: a run that was interrupted between its last epoch and its test would train one more epoch, and
    end with other weights than an uninterrupted run.
    """

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop immediately if the patience was exhausted before the interruption."""
        super().on_train_start(trainer, pl_module)
        if self.wait_count >= self.patience:
            trainer.should_stop = True
