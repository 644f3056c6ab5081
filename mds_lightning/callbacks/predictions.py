"""The rows every reported number is computed from."""

from pathlib import Path
from typing import Any

import lightning
import pandas as pd
import torch
import torch.distributed as distributed

from mds_lightning.tracking.run_directory import write_atomically


class PredictionWriter(lightning.Callback):
    """Write `predictions.parquet` at the end of `trainer.predict`: one row an image.

    Columns: image, patient_id, site, fold, split (val, test or external), label, target (class index; 1 is
    the positive class of a binary task) and `prob_<class>` (float32, 0..1) for every class of the task.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._rows: list[int] = []
        self._probabilities: list[torch.Tensor] = []

    def on_predict_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Forget what an earlier run of the same process left."""
        self._rows, self._probabilities = [], []

    def on_predict_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch's rows and probabilities."""
        self._rows += outputs["row"].tolist()
        self._probabilities.append(outputs["probabilities"].float().cpu())

    def on_predict_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Join the batches (of every process) and write the file."""
        rows, probabilities = self._rows, torch.cat(self._probabilities)
        if trainer.world_size > 1:
            gathered: list[Any] = [None] * trainer.world_size
            distributed.all_gather_object(gathered, (rows, probabilities))
            rows = [row for part, _ in gathered for row in part]
            probabilities = torch.cat([part for _, part in gathered])
        if trainer.is_global_zero:
            self._write(trainer.datamodule, rows, probabilities)  # type: ignore[attr-defined]

    def _write(self, datamodule: Any, rows: list[int], probabilities: torch.Tensor) -> None:
        columns = [f"prob_{label}" for label in datamodule.task.classes]
        table = pd.concat(
            [datamodule.describe(rows), pd.DataFrame(probabilities.numpy(), columns=columns)], axis="columns"
        )
        # Distributed sampling may pad with repeats; the order of the cohort makes the file reproducible.
        table = table.assign(row=rows).drop_duplicates("row").sort_values("row").drop(columns="row")
        with write_atomically(self.path) as temporary:
            table.to_parquet(temporary, index=False)
