"""Writes the predictions from which every reported number is computed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import lightning
import pandas as pd
import torch
import torch.distributed as distributed

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.models.crop_averaging import CropSums, sum_crops


class PredictionWriter(lightning.Callback):
    """Write `predictions.parquet` at the end of `trainer.predict`: one row per image.

    The prediction for an image is the mean over its crops where the data module yields crops.

    Columns: image, patient_id, site, fold, split (val, test or external), label, target (class index; 1 is
    the positive class of a binary task) and `prob_<class>` (float32, 0..1) for every class of the task.

    Args:
        path: The file.
        keep: Whether the rows of other images in an existing file are kept unchanged.
        replace: Yields a temporary path for the new content and renames it to the given path;
            `studies.recording.replace_recorded` for a finished run.
    """

    def __init__(
        self,
        path: str | Path,
        keep: bool = False,
        replace: Callable[[Path], AbstractContextManager[Path]] = write_atomically,
    ) -> None:
        self.path = Path(path)
        self.keep = keep
        self.replace = replace
        self._pooled: list[CropSums] = []

    def on_predict_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Discard the batches of an earlier prediction by the same callback."""
        self._pooled = []

    def on_predict_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add up the crops of each image in a batch: memory does not grow with their number."""
        row, weight = outputs["row"].cpu(), outputs["weight"].cpu()
        self._pooled.append(sum_crops(row, weight, outputs["probabilities"].cpu() * weight[:, None]))

    def on_predict_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Join the batches (of every process) and write the file."""
        pooled = self._pooled
        if trainer.world_size > 1:
            gathered: list[Any] = [None] * trainer.world_size
            distributed.all_gather_object(gathered, pooled)
            pooled = [part for process in gathered for part in process]
        if trainer.is_global_zero:
            fields = sum_crops(*(torch.cat(column) for column in zip(*pooled, strict=True)))
            self._write(trainer.datamodule, fields)  # type: ignore[attr-defined]

    def _write(self, datamodule: Any, fields: CropSums) -> None:
        # In the order of the cohort, which makes the file reproducible.
        known = datamodule.describe(fields.row.tolist())
        columns = [f"prob_{label}" for label in datamodule.task.classes]
        table = pd.concat(
            [known, pd.DataFrame(fields.probabilities.numpy(), columns=columns)], axis="columns"
        )
        if self.keep:
            table = self._join_others(table.assign(row=fields.row.numpy()), datamodule)
        with self.replace(self.path) as temporary:
            table.to_parquet(temporary, index=False)

    def _join_others(self, table: pd.DataFrame, datamodule: Any) -> pd.DataFrame:
        """The new rows and the file's rows of other images, in the order of the cohort."""
        others = pd.read_parquet(self.path)
        images = datamodule.cohort.table["image"]
        others["row"] = others["image"].map(pd.Series(images.index, index=images))
        others = others[~others["row"].isin(table["row"])]
        return pd.concat([table, others], ignore_index=True).sort_values("row").drop(columns="row")
