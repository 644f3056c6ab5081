"""Confusion matrices, for many weightings of the patients at once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.sample import Sample


@dataclass(frozen=True)
class ConfusionMatrices:
    """One confusion matrix for each weighting of the patients.

    Attributes:
        matrices: (resamples, classes, classes) weight of the rows by true and predicted class.
    """

    matrices: NDArray[np.float64]

    @classmethod
    def of(cls, counts: NDArray[np.float64], weights: NDArray[np.float64]) -> Self:
        """Add up the patients' matrices under each row of `weights`.

        Args:
            counts: (patients, classes, classes), from `count_confusion`.
            weights: (resamples, patients).
        """
        n = counts.shape[-1]
        return cls((weights @ counts.reshape(len(counts), n * n)).reshape(-1, n, n))

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """(resamples,) all rows."""
        return self.matrices.sum(axis=(1, 2))

    @cached_property
    def correct(self) -> NDArray[np.float64]:
        """(resamples, classes) rows of each class that are predicted as that class."""
        return np.diagonal(self.matrices, axis1=1, axis2=2)

    @cached_property
    def actual(self) -> NDArray[np.float64]:
        """(resamples, classes) rows of each class."""
        return self.matrices.sum(axis=2)

    @cached_property
    def predicted(self) -> NDArray[np.float64]:
        """(resamples, classes) rows that are predicted as each class."""
        return self.matrices.sum(axis=1)


def count_confusion(sample: Sample) -> NDArray[np.float64]:
    """(patients, classes, classes): rows of each patient by true class and predicted class."""
    n = len(sample.classes)
    cell = (sample.patient * n + sample.target) * n + sample.predicted
    return np.bincount(cell, minlength=sample.n_patients * n * n).reshape(-1, n, n).astype(np.float64)
