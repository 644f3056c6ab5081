"""Rows as plain arrays with their patients: every metric, interval and resample is computed from them."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.predictions import Predictions


@dataclass(frozen=True)
class Sample:
    """Rows of images or patients. Resampling weights patients, never rows.

    Attributes:
        classes: Names in the order of `target`.
        target: (rows,) index into `classes`.
        probabilities: (rows, classes).
        patient: (rows,) 0..n_patients-1; patients are numbered in the order of their sorted ids.
        patient_class: (n_patients,) index into `classes`: the strata of the bootstrap.
        fold: (rows,) fold whose model predicted the row.
    """

    classes: tuple[str, ...]
    target: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    patient: NDArray[np.int64]
    patient_class: NDArray[np.int64]
    fold: NDArray[np.int64]

    @classmethod
    def of(cls, predictions: Predictions) -> Self:
        """From checked predictions, in which a patient has one label."""
        ids, patient = np.unique(predictions.table["patient_id"].to_numpy(str), return_inverse=True)
        patient_class = np.zeros(len(ids), np.int64)
        patient_class[patient] = predictions.target
        fold = predictions.table["fold"].to_numpy(np.int64)
        return cls(
            predictions.classes, predictions.target, predictions.probabilities, patient, patient_class, fold
        )

    def where(self, rows: NDArray[np.bool_]) -> Self:
        """The rows for which `rows` is true; patients keep their numbers, so that weights stay valid."""
        return replace(
            self,
            target=self.target[rows],
            probabilities=self.probabilities[rows],
            patient=self.patient[rows],
            fold=self.fold[rows],
        )

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len(self.patient_class)

    def strata_by_fold(self) -> NDArray[np.int64]:
        """(n_patients,) strata of class and fold; patients of several folds form one stratum per class."""
        first, last = np.full(self.n_patients, np.iinfo(np.int64).max), np.full(self.n_patients, -1)
        np.minimum.at(first, self.patient, self.fold)
        np.maximum.at(last, self.patient, self.fold)
        fold = np.where(first == last, first, -1)
        return np.unique(np.stack([self.patient_class, fold]), axis=1, return_inverse=True)[1]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(rows,) index of the predicted class: the largest probability, the first class on a tie.

        For two classes: the positive one where its probability is above 0.5.
        """
        return self.probabilities.argmax(axis=1)

    @property
    def scored_classes(self) -> tuple[int, ...]:
        """Classes with a ROC curve: the positive one of two; of more, each against the rest."""
        return (1,) if len(self.classes) == 2 else tuple(range(len(self.classes)))
