"""Intervals of the mean of a metric over several models that predicted the same patients.

They describe the expected value for a model that is trained in the same way: patients and models both vary.
`benchmarks/external_coverage.py` measures the coverage.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri, stdtrit

from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval, variance_of_auc
from mds_lightning.statistics.intervals.wilson import wilson_interval

#: Labels of the intervals.
WILSON_MODELS = "Wilson, variance of patients and models"
NEWCOMBE_MODELS = "Newcombe, variance of patients and models"
STUDENT_MODELS = "Student t, variance of patients and models"


@dataclass(frozen=True)
class Spread:
    """The mean of a metric over models, with the variance that patients and models give it.

    The mean of one model per fold has a part of the variance in common with both terms (how a model and a
    patient go together), which is counted twice: with few patients the intervals are slightly too wide.

    Attributes:
        values: (models,) the metric of each model.
        patients: Variance of the mean due to the choice of the patients, for these models.
        freedom: Degrees of freedom of `patients`.
    """

    values: NDArray[np.float64]
    patients: float
    freedom: int

    @classmethod
    def of(
        cls, values: NDArray[np.float64], left_out: NDArray[np.float64], strata: NDArray[np.int64]
    ) -> Self:
        """From the jackknife over patients.

        Args:
            values: (models,) the metric of each model.
            left_out: (patients,) the mean over the models without each patient in turn.
            strata: (patients,) stratum of each patient, whose sizes are fixed.
        """
        variance, freedom = 0.0, 0
        for stratum in np.unique(strata):
            own = left_out[strata == stratum]
            variance += float((len(own) - 1) * ((own - own.mean()) ** 2).mean())
            freedom += len(own) - 1
        return cls(values, variance, freedom)

    @property
    def mean(self) -> float:
        """Of the models."""
        return float(self.values.mean())

    @property
    def models(self) -> float:
        """Variance of the mean due to the choice of the models; 0 for a single one."""
        count = len(self.values)
        return float(self.values.var(ddof=1) / count) if count > 1 else 0.0

    @property
    def total(self) -> float:
        """Variance of the mean."""
        return self.patients + self.models

    def quantile(self, confidence: float) -> float:
        """Student's t with the degrees of freedom of Welch and Satterthwaite."""
        terms = self.models**2 / max(len(self.values) - 1, 1), self.patients**2 / max(self.freedom, 1)
        if sum(terms) == 0:
            return float(ndtri((1 + confidence) / 2))
        return float(stdtrit(self.total**2 / sum(terms), (1 + confidence) / 2))

    def inflate(self, variance: float, confidence: float) -> float:
        """Factor by which a variance of patients alone is multiplied to hold the models' variance too.

        It is at least 1, so that an interval is not narrower than that of a single model.

        Args:
            variance: Of the metric of one model, due to the choice of the patients; 0 where the interval
                rests on the number of patients alone.
            confidence: Of the interval.
        """
        ratio = max(self.total / variance, 1.0) if variance > 0 else 1.0
        return ratio * (self.quantile(confidence) / float(ndtri((1 + confidence) / 2))) ** 2


def interval_of_proportion(spread: Spread, trials: int, confidence: float = 0.95) -> Interval:
    """Wilson's interval with the number of trials divided by the variance inflation.

    Args:
        spread: Of the proportion.
        trials: Number of rows, above 0.
        confidence: Of the interval.
    """
    value = spread.mean
    inflation = spread.inflate(value * (1 - value) / trials, confidence)
    interval = wilson_interval(value * trials / inflation, trials / inflation, confidence)
    return Interval(interval.low, interval.high, WILSON_MODELS)


def interval_of_auc(spread: Spread, positives: int, negatives: int, confidence: float = 0.95) -> Interval:
    """Newcombe's interval with an inflated variance.

    Args:
        spread: Of the ROC-AUC.
        positives: Number of different positive rows, above 0.
        negatives: Number of different negative rows, above 0.
        confidence: Of the interval.
    """
    sizes = np.array([positives], float), np.array([negatives], float)
    inflation = spread.inflate(float(variance_of_auc(spread.mean, *sizes)[0]), confidence)
    interval = newcombe_interval(spread.mean, positives, negatives, confidence, inflation)
    return Interval(interval.low, interval.high, NEWCOMBE_MODELS)


def interval_of_mean(spread: Spread, confidence: float = 0.95, is_bounded: bool = True) -> Interval:
    """Student's t interval.

    Args:
        spread: Of any metric.
        confidence: Of the interval.
        is_bounded: Whether the metric is in 0..1, so that the interval is computed on the scale of the
            log-odds.
    """
    value, error = spread.mean, spread.total**0.5
    if not error > 0:
        return Interval.undefined(STUDENT_MODELS, "patients and models do not vary")
    half_width = spread.quantile(confidence) * error
    if not is_bounded:
        return Interval(value - half_width, value + half_width, STUDENT_MODELS)
    half_width /= value * (1 - value)
    low, high = expit(logit(value) + np.array([-half_width, half_width]))
    return Interval(float(low), float(high), STUDENT_MODELS)
