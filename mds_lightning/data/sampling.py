"""In which order, and how often, the training images are drawn."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

Sampling = Literal["balanced", "natural", "weighted_loss"]


class Draw(NamedTuple):
    """One image of one epoch: which row of the cohort, the seed of its augmentation, and which part of it.

    A random view has a seed, a fixed one a part: its index among those that `data.view` takes of the field.
    """

    row: int
    seed: int = 0
    part: int = 0


class EpochSampler(Sampler[Draw]):
    """The draws of one epoch, a function of (seed, epoch) alone: a killed run goes on as if it had not been.

    `balanced` draws every class as often as the largest has images, each image of a class as often as any
    other (up to one), each draw augmented anew: the paper's evening out of the classes by augmented sampling.
    `natural` and `weighted_loss` draw every image once.

    Under distributed training each of `replicas` processes takes every `replicas`-th draw; the last draws are
    left out when they do not divide evenly, so that all processes make the same number of steps.
    """

    def __init__(
        self,
        rows: Sequence[int],
        targets: Sequence[int],
        sampling: Sampling,
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
        """Lightning calls this at the start of every epoch."""
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
        drawn = [_deal(self.rows[self.targets == target], largest, random) for target in classes]
        return np.concatenate(drawn)


class EveryPart(Sampler[Draw]):
    """Every part of every field once, field after field, for evaluation.

    Args:
        rows: Of the cohort's table.
        parts: How many parts each of them has.
    """

    def __init__(self, rows: Sequence[int], parts: Sequence[int]) -> None:
        self.rows = rows
        self.parts = parts

    def __len__(self) -> int:
        return sum(self.parts)

    def __iter__(self) -> Iterator[Draw]:
        for row, parts in zip(self.rows, self.parts, strict=True):
            for part in range(parts):
                yield Draw(row, part=part)


def _deal(rows: NDArray[np.int64], number: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Deal `number` rows from shuffled decks, so that any two rows differ by at most one draw."""
    decks = -(-number // len(rows))
    return np.concatenate([random.permutation(rows) for _ in range(decks)])[:number]


def class_weights(targets: Sequence[int], n_classes: int) -> list[float]:
    """Weights of the loss for `weighted_loss`: n / (n_classes * n_c), scikit-learn's `balanced`.

    Args:
        targets: Class index of every training image.
        n_classes: Number of classes of the task; each must occur.
    """
    counts = np.bincount(np.asarray(targets, dtype=np.int64), minlength=n_classes)
    if (counts == 0).any():
        raise ValueError(
            f"classes {np.flatnonzero(counts == 0).tolist()} have no training image to weight the loss by"
        )
    return [float(weight) for weight in counts.sum() / (n_classes * counts)]
