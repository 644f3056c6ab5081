"""Intervals of proportions of independent patients."""

from scipy.special import ndtri

from mds_lightning.statistics.intervals.interval import Interval

#: How it is labelled.
WILSON = "Wilson"


def wilson_interval(successes: float, trials: float, confidence: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson, J Am Stat Assoc 22 (1927) 209), without continuity correction.

    Only for independent trials: patients, not the images of one patient.

    Args:
        successes: 0..trials.
        trials: Number of trials; 0 gives an undefined interval.
        confidence: Of the interval.
    """
    if trials == 0:
        return Interval.undefined(WILSON, "no trials")
    z = float(ndtri((1 + confidence) / 2))
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * ((share * (1 - share) + z**2 / (4 * trials)) / trials) ** 0.5
    low, high = max(centre - reach, 0.0), min(centre + reach, 1.0)
    # At the ends the formula gives 0 and 1 exactly, but for rounding.
    return Interval(0.0 if successes == 0 else low, 1.0 if successes == trials else high, WILSON)
