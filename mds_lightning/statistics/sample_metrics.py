"""Every metric of one sample as a function of the patients' weights, for `bootstrap`."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.metric import Measure, Metric
from mds_lightning.statistics.metric_registry import list_metrics
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import PreparedSample


@dataclass(frozen=True)
class SampleMetrics:
    """Several metrics of one sample; call it with weights.

    Two classes: ROC-AUC and average precision of the positive class. More: one against the rest for each
    class, and their macro average.

    Attributes:
        prepared: The sample, counted and sorted.
        metrics: In the order of the tables.
    """

    prepared: PreparedSample
    metrics: tuple[Metric, ...]

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """The metrics that pool the rows of all folds."""
        return cls(PreparedSample(sample), tuple(one for one in list_metrics() if not one.within_folds))

    @classmethod
    def within_folds(cls, sample: Sample) -> Self:
        """The metrics that compare rows within folds only; resample them by `Sample.strata_by_fold`."""
        return cls(PreparedSample(sample), tuple(one for one in list_metrics() if one.within_folds))

    def __call__(self, weights: NDArray[np.float64]) -> dict[Measure, NDArray[np.float64]]:
        """Every metric (resamples,) for each row of `weights` (resamples, patients); NaN if undefined."""
        weighted = self.prepared.weigh(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                Measure(metric.name, class_name): values
                for metric in self.metrics
                for class_name, values in metric.compute(weighted).items()
            }

    def point(self) -> dict[Measure, float]:
        """Every metric with each patient counted once."""
        values = self(np.ones((1, self.prepared.sample.n_patients)))
        return {measure: float(value[0]) for measure, value in values.items()}
