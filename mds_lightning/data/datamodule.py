"""One fold of a cohort, as Lightning wants it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import lightning
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mds_lightning.cohort.folds import Fold
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.task import Task
from mds_lightning.data.augmentation import Augmentation, AugmentationParameters
from mds_lightning.data.dataset import Item, SmearDataset
from mds_lightning.data.sampling import Draw, EpochSampler, Sampling, class_weights

Split = Literal["train", "val", "test", "external"]


@dataclass(frozen=True)
class LoadingParameters:
    """How images travel from disk to the network.

    Attributes:
        size: (height, width) of the network's input, pixels.
        batch_size: Images a step and device.
        num_workers: Processes that decode and augment; 0: the training process itself.
        max_pixels: Largest image that is decoded (height x width); a guard against decompression bombs.
    """

    size: tuple[int, int]
    batch_size: int = 32
    num_workers: int = 0
    max_pixels: int = 200_000_000

    def __post_init__(self) -> None:
        for key, least in (("batch_size", 1), ("num_workers", 0), ("max_pixels", 1)):
            if getattr(self, key) < least:
                raise ValueError(f"data.{key} is {getattr(self, key)}: give {least} or more")


class SmearDataModule(lightning.LightningDataModule):
    """Train, validation and test images of one fold, and the external cohort.

    `fit` sees training and validation patients only: the test rows do not exist before `setup("test")` or
    `setup("predict")`. Prediction covers validation, test and external rows, each image once.
    """

    def __init__(
        self,
        cohort: Cohort,
        task: Task,
        fold: Fold,
        loading: LoadingParameters,
        augmentation: AugmentationParameters,
        sampling: Sampling,
        seed: int,
    ) -> None:
        super().__init__()
        self.cohort = cohort
        self.task = task
        self.fold = fold
        self.loading = loading
        self.augmentation = Augmentation(augmentation, loading.size)
        self.sampling: Sampling = sampling
        self.seed = seed
        self.datasets: dict[Split, SmearDataset] = {}

    def rows(self, split: Split) -> list[int]:
        """Rows of the cohort's table that belong to `split`, in the table's order."""
        table = self.cohort.table
        if split == "external":
            return table.index[table["external"]].tolist()
        patients = getattr(self.fold, split)
        return table.index[table["patient_id"].isin(patients) & ~table["external"]].tolist()

    def class_weights(self) -> list[float] | None:
        """Weights for the loss when `sampling=weighted_loss`, else None."""
        if self.sampling != "weighted_loss":
            return None
        return class_weights(self._dataset("train", None).targets, len(self.task.classes))

    def describe(self, rows: Sequence[int]) -> pd.DataFrame:
        """The predictions' columns that are known before predicting, one row for each of `rows`.

        Columns: image, patient_id, site, fold, split, label, target.
        """
        split_of = {row: split for split in ("val", "test", "external") for row in self.rows(split)}
        table = self.cohort.table.loc[list(rows), ["image", "patient_id", "site", "label"]].reset_index(
            drop=True
        )
        table.insert(3, "fold", self.fold.index)
        table.insert(4, "split", [split_of[row] for row in rows])
        table["target"] = [self.task.classes.index(label) for label in table["label"]]
        return table

    def image(self, row: int) -> Tensor:
        """The network's view of one image without augmentation: uint8 (3, H, W)."""
        return self._dataset("test", None, [row])[Draw(row, 0)]["image"]

    def setup(self, stage: str) -> None:
        """Make the datasets that `stage` (fit, validate, test, predict) may see, and no others."""
        splits: dict[str, tuple[Split, ...]] = {
            "fit": ("train", "val"),
            "validate": ("val",),
            "test": ("test",),
            "predict": ("val", "test", "external"),
        }
        self.datasets = {
            split: self._dataset(split, self.augmentation if split == "train" else None)
            for split in splits[stage]
        }

    def train_dataloader(self) -> DataLoader[Item]:
        """Augmented training images in the order of the epoch's draws."""
        dataset = self.datasets["train"]
        replicas, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        sampler = EpochSampler(dataset.rows, dataset.targets, self.sampling, self.seed, replicas, rank)
        # A last batch of one image would stop batch norm; it is dropped unless it is all there is.
        return self._loader(dataset, sampler, drop_last=len(sampler) > self.loading.batch_size)

    def val_dataloader(self) -> DataLoader[Item]:
        """Validation images."""
        return self._evaluation_loader("val")

    def test_dataloader(self) -> DataLoader[Item]:
        """Test images of the fold."""
        return self._evaluation_loader("test")

    def predict_dataloader(self) -> list[DataLoader[Item]]:
        """Validation, test and (if there are any) external images, one loader each."""
        return [self._evaluation_loader(split) for split in ("val", "test", "external") if self.rows(split)]

    def _dataset(
        self, split: Split, augmentation: Augmentation | None, rows: Sequence[int] | None = None
    ) -> SmearDataset:
        chosen = self.rows(split) if rows is None else rows
        return SmearDataset(
            self.cohort, self.task, chosen, self.loading.size, augmentation, self.loading.max_pixels
        )

    def _evaluation_loader(self, split: Split) -> DataLoader[Item]:
        dataset = self.datasets[split]
        return self._loader(dataset, [Draw(row, 0) for row in dataset.rows], drop_last=False)

    def _loader(
        self, dataset: SmearDataset, draws: EpochSampler | list[Draw], drop_last: bool
    ) -> DataLoader[Item]:
        return DataLoader(
            dataset,
            batch_size=self.loading.batch_size,
            sampler=draws,
            drop_last=drop_last,
            num_workers=self.loading.num_workers,
            persistent_workers=False,
            pin_memory=torch.cuda.is_available(),
        )
