"""Images of a cohort as tensors."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.task import Task
from mds_lightning.data.augmentation import Augmentation, resize
from mds_lightning.data.decode import decode_image
from mds_lightning.data.sampling import Draw


class Item(TypedDict):
    """One image, or after collation a batch of them.

    `image`: uint8 (3, H, W), RGB. `target`: class index, int64. `row`: row of the cohort's table, int64.
    """

    image: Tensor
    target: Tensor
    row: Tensor


class SmearDataset(Dataset[Item]):
    """The rows of a cohort, indexed by `Draw`; the augmentation, if any, follows the draw's seed."""

    def __init__(
        self,
        cohort: Cohort,
        task: Task,
        rows: Sequence[int],
        size: tuple[int, int],
        augmentation: Augmentation | None,
        max_pixels: int,
    ) -> None:
        selected = cohort.table.loc[list(rows)]
        target = {label: index for index, label in enumerate(task.classes)}
        self.rows = list(rows)
        self.targets = [target[label] for label in selected["label"]]
        self.size = size
        self.augmentation = augmentation
        self.max_pixels = max_pixels
        self._paths = dict(zip(self.rows, map(cohort.path, selected["image"]), strict=True))
        self._target_of = dict(zip(self.rows, self.targets, strict=True))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: Draw) -> Item:
        image = decode_image(self._paths[draw.row], self.max_pixels)
        view = resize(image, self.size) if self.augmentation is None else self.augmentation(image, draw.seed)
        return {
            "image": torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1))),
            "target": torch.tensor(self._target_of[draw.row]),
            "row": torch.tensor(draw.row),
        }
