"""Samplers: the order and frequency in which images are drawn."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from mds_lightning.data.data_parameters import SamplingName


class Draw(NamedTuple):
    """One sample of an epoch.

    Attributes:
        row: Row of the cohort's table.
        seed: Seed of the augmentation, for random views.
        crop: Index of the crop among those of the field, for fixed views.
    """

    row: int
    seed: int = 0
    crop: int = 0


class EpochSampler(Sampler[Draw]):
    """The samples of one epoch, a function of (seed, epoch) alone, so that a resumed run draws the same.

    `balanced` draws every class as often as the largest class has images, and each image of a class equally
    often (up to one), each time with other augmentation: the paper's balancing by augmented oversampling.
    `natural` and `weighted_loss` draw every image once.

    In distributed training each of `replicas` processes takes every `replicas`-th sample; remaining samples
    are dropped if the number is not divisible, so that all processes make the same number of steps.

    Args:
        rows: Rows of the cohort's table.
        targets: Class index of each row.
        sampling: See above.
        seed: Determines the samples together with the epoch.
        replicas: Number of processes.
        rank: Number of this process, 0 ... replicas - 1.
    """

    def __init__(
        self,
        rows: Sequence[int],
        targets: Sequence[int],
        sampling: SamplingName,
        seed: int,
        replicas: int = 1,
        rank: int = 0,
    ) -> None:
        self.rows = np.asarray(rows, dtype=np.int64)
        self.targets = np.asarray(targets, dtype=np.int64)
        self.sampling = sampling
        self.seed = seed
        self.epoch = 0
        self.replicas = replicas
        self.rank = rank

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; called by Lightning at the start of every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self._total() // self.replicas

    def __iter__(self) -> Iterator[Draw]:
        random = np.random.default_rng([self.seed, self.epoch])
        order = random.permutation(self._drawn(random))
        seeds = random.integers(0, 2**32, size=len(order))
        usable = len(self) * self.replicas
        for position in range(self.rank, usable, self.replicas):
            yield Draw(int(order[position]), int(seeds[position]))

    def _total(self) -> int:
        if self.sampling != "balanced":
            return len(self.rows)
        counts = np.unique(self.targets, return_counts=True)[1]
        return int(counts.max() * len(counts))

    def _drawn(self, random: np.random.Generator) -> NDArray[np.int64]:
        if self.sampling != "balanced":
            return self.rows
        classes, counts = np.unique(self.targets, return_counts=True)
        largest = int(counts.max())
        drawn = [_draw_evenly(self.rows[self.targets == target], largest, random) for target in classes]
        return np.concatenate(drawn)


class EveryCrop(Sampler[Draw]):
    """Every crop of every field once, field by field, for evaluation.

    Args:
        rows: Rows of the cohort's table.
        crops: Number of crops of each row.
    """

    def __init__(self, rows: Sequence[int], crops: Sequence[int]) -> None:
        self.rows = rows
        self.crops = crops

    def __len__(self) -> int:
        return sum(self.crops)

    def __iter__(self) -> Iterator[Draw]:
        for row, crops in zip(self.rows, self.crops, strict=True):
            for crop in range(crops):
                yield Draw(row, crop=crop)


def _draw_evenly(rows: NDArray[np.int64], number: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw `number` rows from repeated permutations, so that counts of two rows differ by at most one."""
    permutations = -(-number // len(rows))
    return np.concatenate([random.permutation(rows) for _ in range(permutations)])[:number]


def class_weights(targets: Sequence[int], n_classes: int) -> list[float]:
    """Class weights of the loss for `weighted_loss`: n / (n_classes * n_c), as scikit-learn's `balanced`.

    Args:
        targets: Class index of every training image.
        n_classes: Number of classes of the task.

    Raises:
        ValueError: A class has no training image.
    """
    counts = np.bincount(np.asarray(targets, dtype=np.int64), minlength=n_classes)
    if (counts == 0).any():
        raise ValueError(
            f"classes {np.flatnonzero(counts == 0).tolist()} have no training image, so that "
            "the loss cannot be weighted: check the folds, or choose another sampling"
        )
    return [float(weight) for weight in counts.sum() / (n_classes * counts)]
