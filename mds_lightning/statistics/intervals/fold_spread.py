"""Student's t interval of a metric over folds, which is no confidence interval for patients."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from mds_lightning.statistics.intervals.interval import Interval

#: Label of the interval.
METHOD = "Student t over folds"


def interval_over_folds(values: NDArray[np.float64], confidence: float = 0.95) -> Interval:
    """Mean of the folds' values ± t x standard error, as much of the literature reports it.

    It treats the folds as independent repetitions. But they have most of their training patients in common,
    and each tests few patients, so its coverage differs from the nominal one (Bengio
    and Grandvalet, J Mach Learn Res 5 (2004) 1089).

    Args:
        values: (folds,) the metric computed within each fold.
        confidence: Nominal coverage.
    """
    if len(values) < 2 or np.isnan(values).any():
        return Interval.undefined(
            METHOD, "undefined in a fold" if np.isnan(values).any() else "a single fold"
        )
    error = values.std(ddof=1) / len(values) ** 0.5
    half_width = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * error
    mean = float(values.mean())
    return Interval(
        mean - half_width, mean + half_width, METHOD, "around the mean of the folds; for models, not patients"
    )
