"""ROC curves: of one model, and averaged over the models of the folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RocCurve:
    """Corners of an empirical ROC curve from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: (points,) 1 - specificity, rising.
        true_positive_rate: (points,) sensitivity, rising.
        threshold: (points,) rows are predicted positive from this score on; infinite at (0, 0).
        auc: Area under the curve.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    threshold: NDArray[np.float64]
    auc: float


@dataclass(frozen=True)
class AveragedRoc:
    """Curves averaged vertically: at each false positive rate, over the curves' true positive rates.

    A jump of a curve gives two points at one false positive rate, so the area under the average is exactly
    the mean of the areas.

    Attributes:
        false_positive_rate: (points,) rising.
        true_positive_rate: (points,) mean over the curves.
        deviation: (points,) standard deviation over the curves (n - 1); NaN for a single curve.
        auc: Mean of the curves' areas.
        auc_deviation: Standard deviation of the curves' areas (n - 1); NaN for a single curve.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    deviation: NDArray[np.float64]
    auc: float
    auc_deviation: float


def trace_roc(is_positive: NDArray[np.bool_], score: NDArray[np.float64]) -> RocCurve:
    """The ROC curve with a point at every distinct score.

    Args:
        is_positive: (rows,).
        score: (rows,) higher: more likely positive.

    Raises:
        ValueError: The rows are all positive or all negative.
    """
    if is_positive.all() or not is_positive.any():
        which = "positive" if is_positive.any() else "negative"
        raise ValueError(
            f"a ROC curve needs positive and negative rows; all {len(is_positive)} rows are {which}"
        )
    order = np.argsort(-score, kind="stable")
    score, positive = score[order], is_positive[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    true_positives = np.concatenate([[0], np.cumsum(positive)[last]])
    false_positives = np.concatenate([[0], np.cumsum(~positive)[last]])
    fpr, tpr = false_positives / false_positives[-1], true_positives / true_positives[-1]
    return RocCurve(fpr, tpr, np.concatenate([[np.inf], score[last]]), float(np.trapezoid(tpr, fpr)))


def average_vertically(curves: Sequence[RocCurve]) -> AveragedRoc:
    """The macro average of `curves` (Fawcett, Pattern Recognit Lett 27 (2006) 861), without a grid.

    Args:
        curves: At least one.
    """
    grid = np.unique(np.concatenate([curve.false_positive_rate for curve in curves]))
    limits = np.stack([_limits(curve, grid) for curve in curves])
    areas = np.array([curve.auc for curve in curves])
    single = len(curves) == 1
    deviation = np.full(limits.shape[1], np.nan) if single else limits.std(axis=0, ddof=1)
    spread = float("nan") if single else float(areas.std(ddof=1))
    return AveragedRoc(np.repeat(grid, 2), limits.mean(axis=0), deviation, float(areas.mean()), spread)


def _limits(curve: RocCurve, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2 x grid,) the curve's limits from the left and from the right at each point of the grid."""
    x, y = curve.false_positive_rate, curve.true_positive_rate
    first, last = np.searchsorted(x, grid, side="left"), np.searchsorted(x, grid, side="right") - 1
    on_corner = first <= last
    slope_end = np.minimum(first, len(x) - 1)
    slope_start = np.maximum(slope_end - 1, 0)
    run = np.where(on_corner, 1, x[slope_end] - x[slope_start])
    between = y[slope_start] + (grid - x[slope_start]) / run * (y[slope_end] - y[slope_start])
    left = np.where(on_corner, y[first.clip(max=len(x) - 1)], between)
    right = np.where(on_corner, y[last], between)
    return np.stack([left, right], axis=1).ravel()
