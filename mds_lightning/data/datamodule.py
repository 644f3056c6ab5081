"""The LightningDataModule of one fold of a cohort."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, cast

import lightning
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mds_lightning.cohort.folds import Fold
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.task import Task
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.crops import Box
from mds_lightning.data.data_parameters import SamplingName
from mds_lightning.data.dataset import Item, SmearDataset, collate
from mds_lightning.data.field_source import DecodedFields, Fields
from mds_lightning.data.loading_parameters import LoadingParameters
from mds_lightning.data.sampling import Draw, EpochSampler, EveryCrop, class_weights
from mds_lightning.data.views import FixedViews, RandomViews

Split = Literal["train", "val", "test", "external"]

#: Splits that a finished fold predicts.
PREDICTED: tuple[Split, ...] = ("val", "test", "external")


class SmearDataModule(lightning.LightningDataModule):
    """Training, validation and test images of one fold, and the external cohort.

    `fit` has access to training and validation patients only: datasets of test images are not created before
    `setup("test")` or `setup("predict")`. Prediction covers the splits in `predicted`, each image once.

    Args:
        cohort: Images and patients.
        task: Classes.
        fold: Training, validation and test patients.
        loading: See `LoadingParameters`.
        augmentation: Augmentation of training images.
        sampling: See `EpochSampler`.
        seed: Determines the order of training images and their augmentation.
        fields: Source of pixels (see `prepare_fields`); None: every image is decoded when it is drawn.
        skipped: Rows of the cohort's table that are excluded.
        predicted: Splits that `setup("predict")` creates; in a search the validation split alone.
    """

    def __init__(
        self,
        cohort: Cohort,
        task: Task,
        fold: Fold,
        loading: LoadingParameters,
        augmentation: AugmentationParameters,
        sampling: SamplingName,
        seed: int,
        fields: Fields | None = None,
        skipped: Collection[int] = (),
        predicted: Sequence[Split] = PREDICTED,
    ) -> None:
        super().__init__()
        self.cohort = cohort
        self.task = task
        self.fold = fold
        self.loading = loading
        self.random_views = RandomViews(loading.views, augmentation)
        self.fixed_views = FixedViews(loading.views)
        self.sampling: SamplingName = sampling
        self.seed = seed
        self.skipped = frozenset(skipped)
        self.predicted = tuple(predicted)
        self.fields = (
            fields if fields is not None else DecodedFields(_paths(cohort), loading.max_pixels, loading.stain)
        )
        self.datasets: dict[Split, SmearDataset] = {}
        self._first_epoch = 0

    def rows(self, split: Split) -> list[int]:
        """Rows of the cohort's table that belong to `split`, in the table's order."""
        table = self.cohort.table
        if split == "external":
            chosen = table["external"]
        else:
            chosen = table["patient_id"].isin(getattr(self.fold, split)) & ~table["external"]
        return [row for row in table.index[chosen].tolist() if row not in self.skipped]

    def refuse_missing_classes(self) -> None:
        """Raise if a class has no training or no validation image, as many were skipped.

        Raises:
            ValueError: With the fold, the class and the remedy.
        """
        labels = self.cohort.table["label"]
        for split, name in (("train", "training"), ("val", "validation")):
            present = set(labels.loc[self.rows(cast(Split, split))])
            for label in self.task.classes:
                if label not in present:
                    raise ValueError(
                        f"fold {self.fold.index} has no {name} image of class '{label}' that can be decoded: "
                        "repair the images in skipped.csv of the run, or make other folds (folds.seed=1 and "
                        "another study=NAME)"
                    )

    def class_weights(self) -> list[float] | None:
        """Weights for the loss when `sampling=weighted_loss`, else None."""
        if self.sampling != "weighted_loss":
            return None
        return class_weights(self._dataset("train").targets, len(self.task.classes))

    def describe(self, rows: Sequence[int]) -> pd.DataFrame:
        """The columns of the predictions table that do not depend on the model, one row for each of `rows`.

        Columns: image, patient_id, site, fold, split, label, target.
        """
        split_of = {row: split for split in PREDICTED for row in self.rows(split)}
        table = self.cohort.table.loc[list(rows), ["image", "patient_id", "site", "label"]].reset_index(
            drop=True
        )
        table.insert(3, "fold", self.fold.index)
        table.insert(4, "split", [split_of[row] for row in rows])
        table["target"] = [self.task.classes.index(label) for label in table["label"]]
        return table

    def image(self, row: int) -> Tensor:
        """One whole image at the network's input size without augmentation: uint8 (3, H, W)."""
        pixels = self.fields.read(row, self.loading.views.whole)
        return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)

    @property
    def averages_crops(self) -> bool:
        """Whether the prediction for an image is a weighted mean over crops instead of that for `image`."""
        return self.loading.views.has_tiles

    def crops(self, row: int) -> Iterator[tuple[Tensor, Box, float]]:
        """The crops of one image that its prediction is averaged over.

        Yields:
            The crop, uint8 (3, H, W); the area of the image it shows, as fractions of its sides; its weight
            in the prediction.
        """
        crops, views = self.fixed_views.crops(self.fields, row), self.loading.views
        for index in range(len(crops)):
            crop = crops[index]
            pixels, weight = self.fixed_views.read(self.fields, Draw(row, crop=index))
            box = Box(0.0, 0.0, 1.0, 1.0)
            if crop.corner is not None:
                sides, (top, left) = self.fields.shape(row, views.native), crop.corner
                ends = top + views.size[0], left + views.size[1]
                box = Box(top / sides[0], left / sides[1], ends[0] / sides[0], ends[1] / sides[1])
            yield torch.from_numpy(pixels).permute(2, 0, 1), box, weight

    def setup(self, stage: str) -> None:
        """Create the datasets that `stage` (fit, validate, test, predict) needs, and no others."""
        splits: dict[str, tuple[Split, ...]] = {
            "fit": ("train", "val"),
            "validate": ("val",),
            "test": ("test",),
            "predict": self.predicted,
        }
        self.datasets = {split: self._dataset(split) for split in splits[stage]}

    def state_dict(self) -> dict[str, Any]:
        """Part of a checkpoint: `epoch`, the number of finished epochs."""
        return {"epoch": self._finished_epochs()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue with the images of epoch `state_dict["epoch"]`."""
        self._first_epoch = int(state_dict["epoch"])

    def train_dataloader(self) -> DataLoader[Item]:
        """Augmented training images in the order of the epoch's sampler."""
        dataset = self.datasets["train"]
        replicas, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        sampler = EpochSampler(dataset.rows, dataset.targets, self.sampling, self.seed, replicas, rank)
        # Worker processes are given images as soon as the loader is iterated over, which Lightning (2.6) does
        # before it restores the epoch of a continued run.
        sampler.set_epoch(max(self._first_epoch, self._finished_epochs()))
        # Batch normalisation fails on a batch of one image: the last, incomplete batch is dropped unless it
        # is the only one.
        return self._loader(dataset, sampler, drop_last=len(sampler) > self.loading.batch_size)

    def val_dataloader(self) -> DataLoader[Item]:
        """Validation images."""
        return self._evaluation_loader("val")

    def test_dataloader(self) -> DataLoader[Item]:
        """Test images of the fold."""
        return self._evaluation_loader("test")

    def predict_dataloader(self) -> list[DataLoader[Item]]:
        """The images of `predicted` (external ones if there are any), one loader for each split."""
        return [self._evaluation_loader(split) for split in self.predicted if self.rows(split)]

    def _finished_epochs(self) -> int:
        progress: Any = self.trainer.fit_loop.epoch_progress.current if self.trainer else None
        return int(progress.processed) if progress else 0

    def _dataset(self, split: Split) -> SmearDataset:
        views = self.random_views if split == "train" else self.fixed_views
        return SmearDataset(self.cohort, self.task, self.rows(split), views, self.fields)

    def _evaluation_loader(self, split: Split) -> DataLoader[Item]:
        dataset = self.datasets[split]
        crops = EveryCrop(dataset.rows, self.fixed_views.count(self.fields, dataset.rows))
        return self._loader(dataset, crops, drop_last=False)

    def _loader(
        self, dataset: SmearDataset, draws: EpochSampler | EveryCrop, drop_last: bool
    ) -> DataLoader[Item]:
        return DataLoader(
            dataset,
            batch_size=self.loading.batch_size,
            sampler=draws,
            drop_last=drop_last,
            num_workers=self.loading.num_workers,
            collate_fn=collate,
            # Seeds of the views come from the sampler in the main process: workers can persist over epochs.
            persistent_workers=self.loading.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
        )


def _paths(cohort: Cohort) -> dict[int, File]:
    return dict(enumerate(map(cohort.path, cohort.table["image"])))
