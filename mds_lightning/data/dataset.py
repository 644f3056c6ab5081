"""Images of a cohort as tensors."""

from collections.abc import Sequence
from typing import TypedDict

import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.task import Task
from mds_lightning.data.field_source import Fields
from mds_lightning.data.sampling import Draw
from mds_lightning.data.views import Views


class Item(TypedDict):
    """One view of a field, or after collation a batch of them.

    `image`: uint8 (3, H, W), RGB. `target`: class index, int64. `row`: row of the cohort's table, int64.
    `weight`: float64, weight of this crop in the prediction for its field; those of a field add up to 1.
    """

    image: Tensor
    target: Tensor
    row: Tensor
    weight: Tensor


class SmearDataset(Dataset[Item]):
    """Rows of a cohort, indexed by `Draw`; `views` selects what is shown of the field."""

    def __init__(self, cohort: Cohort, task: Task, rows: Sequence[int], views: Views, fields: Fields) -> None:
        target = {label: index for index, label in enumerate(task.classes)}
        self.rows = list(rows)
        self.targets = [target[label] for label in cohort.table.loc[self.rows, "label"]]
        self.views = views
        self.fields = fields
        self._target_of = dict(zip(self.rows, self.targets, strict=True))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: Draw) -> Item:
        view, weight = self.views.read(self.fields, draw)
        return {
            "image": torch.from_numpy(view).permute(2, 0, 1),
            "target": torch.tensor(self._target_of[draw.row]),
            "row": torch.tensor(draw.row),
            "weight": torch.tensor(weight, dtype=torch.float64),
        }


def collate(items: Sequence[Item]) -> Item:
    """Stack items into a batch.

    Images keep their memory layout (torch's channels-last), which convolutions use; converting them to
    contiguous channels would cost as much as the augmentation.
    """
    pixels = default_collate([item["image"].permute(1, 2, 0) for item in items])
    batch: Item = default_collate([{key: item[key] for key in ("target", "row", "weight")} for item in items])
    return {**batch, "image": pixels.permute(0, 3, 1, 2)}
