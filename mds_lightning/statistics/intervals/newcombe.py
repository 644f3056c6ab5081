"""Newcombe's interval of a ROC-AUC, which stays valid near 1, where resamples do not vary."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from mds_lightning.statistics.intervals.interval import Interval

#: Label of the interval.
NEWCOMBE = "Newcombe"
_MARGIN = 1e-9


def variance_of_auc(
    auc: float, positives: NDArray[np.float64], negatives: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variance of a ROC-AUC (Hanley and McNeil) with both class sizes replaced by their mean.

    Args:
        auc: 0..1.
        positives: (folds,) number of positive patients, above 0.
        negatives: (folds,) number of negative patients, above 0.

    Returns:
        (folds,).
    """
    others = (positives + negatives) / 2 - 1
    spread = 1 + others * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    variance: NDArray[np.float64] = auc * (1 - auc) * spread / (positives * negatives)
    return variance


def newcombe_interval(
    auc: float,
    positives: int | Sequence[int],
    negatives: int | Sequence[int],
    confidence: float = 0.95,
    inflation: float = 1.0,
    training_variance: float = 0.0,
) -> Interval:
    """Score-like interval from the AUC and the class sizes: method 5 of Newcombe, Stat Med 25 (2006) 559.

    Its limits solve `|auc - θ| = z √V(θ)`, with the variance of Hanley and McNeil, Radiology 143 (1982) 29,
    in which both class sizes are replaced by their mean. So it has a width also where the model ranks all
    patients correctly, and neither resamples nor DeLong's variance give one. Only for one row per patient.

    For the ROC-AUC within folds, `auc` is the folds' mean, each weighted with its number of pairs, and V(θ)
    the variance of that mean when every fold's patients are drawn independently.

    Args:
        auc: 0..1.
        positives: Number of positive patients, or of those of each fold.
        negatives: Number of negative patients, or of those of each fold.
        confidence: Of the interval.
        inflation: Factor of V(θ), for sources of variance beside the patients.
        training_variance: Added to V(θ): variance of `auc` over repeated trainings (see
            `statistics.training_variance`); 0 for the models that were trained.
    """
    m, n = (np.atleast_1d(np.asarray(sizes, float)) for sizes in (positives, negatives))
    pairs = m * n
    if pairs.sum() < 1:
        return Interval.undefined(NEWCOMBE, "no positive or no negative patient")
    # A fold without a pair has no part in the mean.
    m, n, pairs = m[pairs > 0], n[pairs > 0], pairs[pairs > 0]
    weight = pairs / pairs.sum()
    z = float(ndtri((1 + confidence) / 2))

    def excess(theta: float) -> float:
        """Distance from `auc` beyond what chance allows, were `theta` the truth."""
        of_patients = float((weight**2 * variance_of_auc(theta, m, n)).sum())
        variance = inflation * of_patients + training_variance
        return abs(auc - theta) - z * variance**0.5

    # At 0 and 1 the equation holds trivially (both sides are 0): the limit is the root beside it.
    inside = min(max(auc, _MARGIN), 1 - _MARGIN)
    low = 0.0 if auc <= 0 or excess(0.0) < 0 else float(brentq(excess, 0.0, inside))
    high = 1.0 if auc >= 1 or excess(1.0) < 0 else float(brentq(excess, inside, 1.0))
    return Interval(low, high, NEWCOMBE)
