"""Wilson's interval of a proportion of independent patients."""

from scipy.special import ndtri

from mds_lightning.statistics.intervals.interval import Interval

#: Label of the interval.
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
    fraction = successes / trials
    centre = (fraction + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half_width = z / (1 + z**2 / trials) * ((fraction * (1 - fraction) + z**2 / (4 * trials)) / trials) ** 0.5
    low, high = max(centre - half_width, 0.0), min(centre + half_width, 1.0)
    # Without successes, or without failures, the formula gives 0 or 1 up to rounding.
    return Interval(0.0 if successes == 0 else low, 1.0 if successes == trials else high, WILSON)
