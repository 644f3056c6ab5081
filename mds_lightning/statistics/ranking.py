"""ROC-AUC and average precision of weighted rows: sorted once, then weighed any number of times."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranking:
    """Scored rows of two kinds in descending order of score.

    Attributes:
        positive: (P,) patient of each positive row.
        negative: (N,) patient of each negative row.
        beaten_by: (P,) number of negative rows with a higher score than the positive row's.
        reached_by: (P,) number of negative rows with at least its score.
        passed: (P,) number of positive rows with at least its score.
    """

    positive: NDArray[np.int64]
    negative: NDArray[np.int64]
    beaten_by: NDArray[np.int64]
    reached_by: NDArray[np.int64]
    passed: NDArray[np.int64]

    @classmethod
    def of(
        cls, is_positive: NDArray[np.bool_], score: NDArray[np.float64], patient: NDArray[np.int64]
    ) -> Self:
        """Sort rows (one a score) by `score`."""
        order = np.argsort(-score, kind="stable")
        is_positive, falling, patient = is_positive[order], -score[order], patient[order]
        positive, negative = falling[is_positive], falling[~is_positive]
        return cls(
            patient[is_positive],
            patient[~is_positive],
            np.searchsorted(negative, positive, side="left"),
            np.searchsorted(negative, positive, side="right"),
            np.searchsorted(positive, positive, side="right"),
        )

    def pairs(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weight of the pairs that are ranked right (ties count half), and of all pairs.

        Args:
            weights: (resamples, patients).

        Returns:
            Two arrays (resamples,); their ratio is the ROC-AUC.
        """
        won, negatives = weights.take(self.positive, axis=1), self._cumulated_negatives(weights)
        below = negatives.take(self.beaten_by, axis=1)
        if not np.array_equal(self.beaten_by, self.reached_by):
            below = (below + negatives.take(self.reached_by, axis=1)) / 2
        total = won.sum(axis=1) * negatives[:, -1]
        return total - np.einsum("ij,ij->i", won, below), total

    def measure(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """ROC-AUC and average precision (resamples,) under each row of `weights` (resamples, patients).

        Average precision is the step-wise sum of precision over gains in recall, as in scikit-learn. Both are
        NaN without positives; ROC-AUC also without negatives.
        """
        positives, negatives = weights.take(self.positive, axis=1), self._cumulated_negatives(weights)
        true_positives = _cumulate(positives)
        reached = negatives.take(self.reached_by, axis=1)
        if np.array_equal(self.beaten_by, self.reached_by):
            below = reached
        else:
            below = (reached + negatives.take(self.beaten_by, axis=1)) / 2
        total, rest = true_positives[:, -1], negatives[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            auc = 1 - np.einsum("ij,ij->i", positives, below) / (total * rest)
            if np.array_equal(self.passed, np.arange(1, len(self.passed) + 1)):
                found = true_positives[:, 1:]
            else:
                found = true_positives.take(self.passed, axis=1)
            reached += found
            precision = np.divide(found, reached, out=reached, where=reached > 0)
            average_precision = np.einsum("ij,ij->i", positives, precision) / total
        return auc, average_precision

    def _cumulated_negatives(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(resamples, N + 1): weight of the first 0..N negative rows."""
        return _cumulate(weights.take(self.negative, axis=1))


def _cumulate(values: NDArray[np.float64]) -> NDArray[np.float64]:
    cumulated = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=cumulated[:, 1:])
    return cumulated
