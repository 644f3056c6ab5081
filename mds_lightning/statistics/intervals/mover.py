"""Interval of the ratio of two independent proportions from the interval of each."""

import numpy as np

from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.wilson import wilson_interval

#: Label of the interval.
MOVER = "MOVER"


def interval_of_ratio(
    over: tuple[float, float], under: tuple[float, float], confidence: float = 0.95
) -> Interval:
    """Limits of the ratio of two proportions from Wilson's limits of each.

    The method of variance estimates recovery for ratios: Donner and Zou, Stat Methods Med Res 21 (2012) 347.
    It has a width also where a proportion is 0 or 1, and resamples have none there.

    Args:
        over: Successes and trials of the proportion above the line; trials above 0.
        under: Likewise below the line.
        confidence: Of the interval.

    Returns:
        Limits in [0, infinity].
    """
    (a, b), (first, second) = (
        (successes / trials for successes, trials in (over, under)),
        (
            wilson_interval(*over, confidence),
            wilson_interval(*under, confidence),
        ),
    )
    product = a * b
    top = first.low * (2 * a - first.low)
    root = max(product**2 - top * second.high * (2 * b - second.high), 0.0) ** 0.5
    low = top / (product + root) if product + root > 0 else 0.0
    bottom = second.low * (2 * b - second.low)
    root = max(product**2 - first.high * (2 * a - first.high) * bottom, 0.0) ** 0.5
    high = (product + root) / bottom if bottom > 0 else float(np.inf)
    return Interval(low, high, MOVER)
