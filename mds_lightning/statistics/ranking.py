"""ROC-AUC and average precision of rows that are sorted once and then weighted any number of times."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranking:
    """Positive and negative rows in descending order of score.

    Attributes:
        positive: (P,) patient of each positive row.
        negative: (N,) patient of each negative row.
        n_above: (P,) number of negative rows with a higher score than the positive row's.
        n_not_below: (P,) number of negative rows with at least its score.
        rank: (P,) number of positive rows with at least its score.
    """

    positive: NDArray[np.int64]
    negative: NDArray[np.int64]
    n_above: NDArray[np.int64]
    n_not_below: NDArray[np.int64]
    rank: NDArray[np.int64]

    @classmethod
    def of(
        cls, is_positive: NDArray[np.bool_], score: NDArray[np.float64], patient: NDArray[np.int64]
    ) -> Self:
        """Sort rows by `score`.

        Args:
            is_positive: (rows,).
            score: (rows,) higher: more likely positive.
            patient: (rows,) number of the patient.
        """
        order = np.argsort(-score, kind="stable")
        is_positive, negated, patient = is_positive[order], -score[order], patient[order]
        positive, negative = negated[is_positive], negated[~is_positive]
        return cls(
            patient[is_positive],
            patient[~is_positive],
            np.searchsorted(negative, positive, side="left"),
            np.searchsorted(negative, positive, side="right"),
            np.searchsorted(positive, positive, side="right"),
        )

    def pairs(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weight of the pairs that are ranked correctly (ties count half), and of all pairs.

        Args:
            weights: (resamples, patients).

        Returns:
            Two arrays (resamples,); their ratio is the ROC-AUC.
        """
        won, negatives = weights.take(self.positive, axis=1), self._cumulated_negatives(weights)
        below = negatives.take(self.n_above, axis=1)
        if not np.array_equal(self.n_above, self.n_not_below):
            below = (below + negatives.take(self.n_not_below, axis=1)) / 2
        total = won.sum(axis=1) * negatives[:, -1]
        return total - np.einsum("ij,ij->i", won, below), total

    def measure(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """ROC-AUC and average precision (resamples,) under each row of `weights` (resamples, patients).

        Average precision is the step-wise sum of precision over gains in recall, as in scikit-learn. Both are
        NaN without positives; ROC-AUC also without negatives.
        """
        positives, negatives = weights.take(self.positive, axis=1), self._cumulated_negatives(weights)
        true_positives = _cumulate(positives)
        predicted = negatives.take(self.n_not_below, axis=1)
        if np.array_equal(self.n_above, self.n_not_below):
            below = predicted
        else:
            below = (predicted + negatives.take(self.n_above, axis=1)) / 2
        total, rest = true_positives[:, -1], negatives[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            auc = 1 - np.einsum("ij,ij->i", positives, below) / (total * rest)
            if np.array_equal(self.rank, np.arange(1, len(self.rank) + 1)):
                true_positives_at = true_positives[:, 1:]
            else:
                true_positives_at = true_positives.take(self.rank, axis=1)
            predicted += true_positives_at
            precision = np.divide(true_positives_at, predicted, out=predicted, where=predicted > 0)
            average_precision = np.einsum("ij,ij->i", positives, precision) / total
        return auc, average_precision

    def _cumulated_negatives(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(resamples, N + 1): weight of the first 0..N negative rows."""
        return _cumulate(weights.take(self.negative, axis=1))


def _cumulate(values: NDArray[np.float64]) -> NDArray[np.float64]:
    cumulated = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=cumulated[:, 1:])
    return cumulated
