"""A ROC-AUC's interval that stays right near 1, where too few patients overlap to see any spread."""

from scipy.optimize import brentq
from scipy.special import ndtri

from mds_lightning.statistics.intervals.interval import Interval

#: How it is labelled.
NEWCOMBE = "Newcombe"
_BESIDE = 1e-9


def newcombe_interval(auc: float, positives: int, negatives: int, confidence: float = 0.95) -> Interval:
    """Score-like interval from the sizes alone: method 5 of Newcombe, Stat Med 25 (2006) 559.

    Its limits solve |auc - θ| = z √V(θ), with the variance of Hanley and McNeil, Radiology 143 (1982) 29, in
    which both sides have their mean size. So it has a width also where all patients are in order, and no
    resample or variance estimate sees any. Only for one row a patient.

    Args:
        auc: 0..1.
        positives: Number of positive patients.
        negatives: Number of negative patients.
        confidence: Of the interval.
    """
    if min(positives, negatives) < 1:
        return Interval.undefined(NEWCOMBE, "no patients on one side")
    z = float(ndtri((1 + confidence) / 2))
    others = (positives + negatives) / 2 - 1

    def excess(theta: float) -> float:
        """Distance from `auc` beyond what chance allows, were `theta` the truth."""
        spread = 1 + others * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        variance: float = theta * (1 - theta) * spread / (positives * negatives)
        return abs(auc - theta) - z * variance**0.5

    # At 0 and 1 the equation holds trivially (both sides are 0): the limit is the root beside it.
    inside = min(max(auc, _BESIDE), 1 - _BESIDE)
    low = 0.0 if auc <= 0 else float(brentq(excess, 0.0, inside))
    high = 1.0 if auc >= 1 else float(brentq(excess, inside, 1.0))
    return Interval(low, high, NEWCOMBE)
