"""Newcombe's interval of a ROC-AUC, which stays valid near 1, where resamples do not vary."""

from scipy.optimize import brentq
from scipy.special import ndtri

from mds_lightning.statistics.intervals.interval import Interval

#: Label of the interval.
NEWCOMBE = "Newcombe"
_MARGIN = 1e-9


def newcombe_interval(auc: float, positives: int, negatives: int, confidence: float = 0.95) -> Interval:
    """Score-like interval from the AUC and the class sizes: method 5 of Newcombe, Stat Med 25 (2006) 559.

    Its limits solve `|auc - θ| = z √V(θ)`, with the variance of Hanley and McNeil, Radiology 143 (1982) 29,
    in which both class sizes are replaced by their mean. So it has a width also where the model ranks all
    patients correctly, and neither resamples nor DeLong's variance give one. Only for one row per patient.

    Args:
        auc: 0..1.
        positives: Number of positive patients.
        negatives: Number of negative patients.
        confidence: Of the interval.
    """
    if min(positives, negatives) < 1:
        return Interval.undefined(NEWCOMBE, "no positive or no negative patient")
    z = float(ndtri((1 + confidence) / 2))
    others = (positives + negatives) / 2 - 1

    def excess(theta: float) -> float:
        """|auc - theta| - z √V(theta)."""
        factor = 1 + others * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        variance: float = theta * (1 - theta) * factor / (positives * negatives)
        return abs(auc - theta) - z * variance**0.5

    # At 0 and 1 the equation holds trivially (both terms are 0): the limit is the other root.
    inside = min(max(auc, _MARGIN), 1 - _MARGIN)
    low = 0.0 if auc <= 0 else float(brentq(excess, 0.0, inside))
    high = 1.0 if auc >= 1 else float(brentq(excess, inside, 1.0))
    return Interval(low, high, NEWCOMBE)
