"""Early stopping that survives being killed."""

import lightning
from lightning.pytorch.callbacks import EarlyStopping


class ResumableEarlyStopping(EarlyStopping):
    """Lightning's `EarlyStopping`, which stays stopped when the run is continued.

    The stock callback keeps its patience in the checkpoint but not the decision to stop: a run that was
    killed between its last epoch and its test would train one epoch more, and end with other weights than an
    uninterrupted run.
    """

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop at once if the patience had run out before the run was killed."""
        super().on_train_start(trainer, pl_module)
        if self.wait_count >= self.patience:
            trainer.should_stop = True
