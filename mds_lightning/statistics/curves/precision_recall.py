"""Precision-recall curves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.curves.roc import trace_roc


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Points of rising recall; precision is a step function between them.

    Attributes:
        recall: (points,) rising; the first point is that of the highest score.
        precision: (points,).
        threshold: (points,) falling.
        average_precision: Sum of precision times gain in recall.
        prevalence: Fraction of positive rows: the precision of a random ranking.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    threshold: NDArray[np.float64]
    average_precision: float
    prevalence: float


def trace_precision_recall(
    is_positive: NDArray[np.bool_], score: NDArray[np.float64]
) -> PrecisionRecallCurve:
    """The curve with a point at every distinct score.

    Args:
        is_positive: (rows,).
        score: (rows,) higher: more likely positive.

    Raises:
        ValueError: All rows are positive or all are negative.
    """
    roc = trace_roc(is_positive, score)
    positives, rows = int(is_positive.sum()), len(is_positive)
    true_positives = roc.true_positive_rate[1:] * positives
    predicted = true_positives + roc.false_positive_rate[1:] * (rows - positives)
    precision, recall = true_positives / predicted, roc.true_positive_rate[1:]
    average = float((precision * np.diff(roc.true_positive_rate)).sum())
    return PrecisionRecallCurve(recall, precision, roc.threshold[1:], average, positives / rows)
