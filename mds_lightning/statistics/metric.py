"""What a metric is: one record that `metrics.csv`, the tables and the report read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.wilson import wilson_interval
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample

Level = Literal["image", "patient"]
#: Whether a metric is reported for external patients of mixed sources.
MixedSources = Literal["never", "two classes", "always"]
#: Class, `macro` or `overall` to the values (resamples,); NaN where undefined.
ClassValues = Mapping[str, NDArray[np.float64]]
#: From the unweighted sample, a class (or `macro`, `overall`), the level and the confidence to intervals.
IntervalFunction = Callable[[WeightedSample, str, Level, float], Sequence[Interval]]


class Measure(NamedTuple):
    """A metric of one class.

    Attributes:
        metric: Name of the metric.
        class_name: A class, `macro` (unweighted mean over the classes) or `overall`.
    """

    metric: str
    class_name: str


def no_intervals(
    _weighted: WeightedSample, _class_name: str, _level: Level, _confidence: float
) -> list[Interval]:
    """Of metrics that have the bootstrap's intervals only."""
    return []


@dataclass(frozen=True)
class Metric:
    """A metric. Each file of `statistics/metrics/` holds one, as `METRIC`; nothing else lists them.

    Every metric gets the percentile and the BCa interval of the bootstrap over patients, and Student's t over
    folds.

    Attributes:
        name: In the column `metric` of `metrics.csv`.
        label: In tables and reports.
        compute: The values for each weighting of the patients. It may divide by 0: the result must be NaN
            where the metric is undefined.
        explain_undefined: Why the metric of a class (or `macro`, `overall`) is undefined on a sample, as the
            end of a sentence without a full stop, such as "no row is MDS".
        intervals: Further intervals, which need no resampling.
        position: Metrics stand in tables by increasing position, then by name.
        on_screen: Whether `evaluate` shows it in the terminal.
        at_operating_points: Whether it is reported for the thresholds chosen on validation patients.
        within_folds: Whether it compares rows within folds only. Such a metric is computed for pooled rows of
            several folds, and its resamples are stratified by class and fold.
        from_ranking: Whether it is computed from the order of the rows and not from predicted classes.
        for_mixed_sources: Whether it is reported for external patients whose classes come from different
            sources: not if it depends on the frequencies of the classes, which are then those of no clinic.
            `two classes`: one class against the rest does not depend on them only where the rest is one
            class.
    """

    name: str
    label: str
    compute: Callable[[WeightedSample], ClassValues]
    explain_undefined: Callable[[Sample, str], str]
    intervals: IntervalFunction = no_intervals
    position: int = 1000
    on_screen: bool = False
    at_operating_points: bool = False
    within_folds: bool = False
    from_ranking: bool = False
    for_mixed_sources: MixedSources = "never"

    @property
    def sort_key(self) -> tuple[int, str]:
        """Orders metrics as tables do."""
        return self.position, self.name


def by_class(sample: Sample, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Split values (resamples, classes) into one array (resamples,) for each class."""
    return {name: values[:, k] for k, name in enumerate(sample.classes)}


def with_macro(values: ClassValues) -> dict[str, NDArray[np.float64]]:
    """Add the unweighted mean, `macro`, where there are several classes."""
    if len(values) < 2:
        return dict(values)
    return {**values, "macro": np.mean(list(values.values()), axis=0)}


def wilson_of_patients(
    count_trials: Callable[[WeightedSample, str], tuple[float, float] | None],
) -> IntervalFunction:
    """Wilson's interval at patient level; images of one patient are not independent trials.

    Args:
        count_trials: From the unweighted sample and a class to successes and trials, or None where the metric
            is no proportion (`macro`).
    """

    def intervals(
        weighted: WeightedSample, class_name: str, level: Level, confidence: float
    ) -> list[Interval]:
        trials = count_trials(weighted, class_name) if level == "patient" else None
        return [] if trials is None else [wilson_interval(*trials, confidence)]

    return intervals


def list_absent(sample: Sample) -> str:
    """The classes without a row, separated by commas."""
    return ", ".join(name for k, name in enumerate(sample.classes) if not (sample.target == k).any())
