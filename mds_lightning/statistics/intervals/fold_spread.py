"""The spread of a metric over folds, under its own name: it is no confidence interval for patients."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from mds_lightning.statistics.intervals.interval import Interval

#: How such an interval is labelled everywhere.
METHOD = "Student t over folds"


def interval_over_folds(values: NDArray[np.float64], confidence: float = 0.95) -> Interval:
    """Mean of the folds' values ± t x standard error, as much of the literature reports it.

    It treats the folds as independent repetitions. They share most of their training patients, and each tests
    few patients, so it does not cover at its nominal rate (Bengio and Grandvalet, J Mach Learn Res 5 (2004)
    1089).

    Args:
        values: (folds,) the metric computed within each fold.
        confidence: Nominal.
    """
    if len(values) < 2 or np.isnan(values).any():
        return Interval.undefined(
            METHOD, "undefined in a fold" if np.isnan(values).any() else "a single fold"
        )
    error = values.std(ddof=1) / len(values) ** 0.5
    reach = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * error
    mean = float(values.mean())
    return Interval(
        mean - reach, mean + reach, METHOD, "around the mean of the folds; for models, not patients"
    )
