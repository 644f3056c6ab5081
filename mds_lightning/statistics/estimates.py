"""Tables of metrics with their intervals: one tidy row for each level, metric and kind of interval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.aggregate import Aggregation, aggregate_patients
from mds_lightning.statistics.confusion import count_trials
from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.intervals.delong import interval_of_auc
from mds_lightning.statistics.intervals.fold_spread import interval_over_folds
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.intervals.wilson import wilson_interval
from mds_lightning.statistics.metrics import Measure, Metrics, explain_undefined
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.within_folds import WithinFolds

#: Columns of every table of estimates.
COLUMNS = (
    "patients", "level", "metric", "of", "value", "low", "high", "interval", "note", "n_patients", "n_rows",
)  # fmt: skip

Statistic = Callable[[NDArray[np.float64]], Mapping[Measure, NDArray[np.float64]]]


@dataclass(frozen=True)
class Settings:
    """How estimates are made.

    Attributes:
        aggregation: From a patient's images to the patient.
        n_resamples: Of the bootstrap over patients.
        confidence: Of every interval.
        seed: Of the resamples.
    """

    aggregation: Aggregation = "mean"
    n_resamples: int = 2000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_resamples < 100:
            raise ValueError(f"n_resamples is {self.n_resamples}: give 100 or more, 2000 for a report")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence is {self.confidence}: give a share between 0 and 1, such as 0.95")


def estimate(
    predictions: Predictions, patients: str, settings: Settings, average_folds: bool = False
) -> pd.DataFrame:
    """Every metric of `predictions` at image and at patient level.

    Args:
        predictions: Rows of images.
        patients: Which patients these are, for people.
        settings: How.
        average_folds: Compute each metric within each fold's rows and average, instead of pooling the rows.
            For patients that several folds' models predicted.

    Returns:
        `COLUMNS`; a row for each kind of interval that a metric has. All pooled metrics share their
        resamples, at both levels. `value` is the estimate; of Student's t over folds it is the mean of the
        folds' values.
    """
    levels = {"image": predictions, "patient": aggregate_patients(predictions, settings.aggregation)}
    return pd.concat(
        [estimate_level(rows, (patients, level), settings, average_folds) for level, rows in levels.items()],
        ignore_index=True,
    )


def estimate_level(
    predictions: Predictions, place: tuple[str, str], settings: Settings, average_folds: bool = False
) -> pd.DataFrame:
    """As `estimate`, for rows of one level; `place` is (patients, level) in the table."""
    sample = Sample.of(predictions)
    pooled = Metrics.of(sample)
    folds = [Metrics.of(sample.where(sample.fold == k)) for k in np.unique(sample.fold)]
    statistic = _average(folds) if average_folds else pooled
    strata = sample.strata_by_fold() if average_folds else sample.patient_class
    results = [bootstrap(statistic, strata, settings.n_resamples, settings.seed)]
    if len(folds) > 1 and not average_folds:
        within, by_fold = WithinFolds.of(sample), sample.strata_by_fold()
        results.append(bootstrap(within, by_fold, settings.n_resamples, settings.seed))
    spread = _spread_over_folds(folds, settings.confidence)
    rows = []
    for resampled, measure in [(result, measure) for result in results for measure in result.point]:
        value, confidence = resampled.point[measure], settings.confidence
        intervals = [resampled.percentile(measure, confidence), resampled.bca(measure, confidence)]
        if not average_folds:
            intervals += _without_resampling(pooled, measure, place[1], confidence)
        reason = explain_undefined(measure, sample) if np.isnan(value) else ""
        lines = [(value, interval) for interval in intervals] + spread.get(measure, [])
        rows += [(*place, *measure, number, i.low, i.high, i.method, reason or i.note) for number, i in lines]
    table = pd.DataFrame(rows, columns=COLUMNS[:-2])
    return table.assign(n_patients=sample.n_patients, n_rows=len(sample.target))


def _average(folds: Sequence[Metrics]) -> Statistic:
    def statistic(weights: NDArray[np.float64]) -> dict[Measure, NDArray[np.float64]]:
        parts = [metrics(weights) for metrics in folds]
        return {measure: np.mean([part[measure] for part in parts], axis=0) for measure in parts[0]}

    return statistic


def _without_resampling(metrics: Metrics, measure: Measure, level: str, confidence: float) -> list[Interval]:
    """DeLong for ROC-AUC; of patients also Newcombe's, and Wilson's for proportions.

    The latter two need independent trials, which a patient's images are not.
    """
    sample = metrics.sample
    if measure.metric == "roc_auc" and measure.of in metrics.rankings:
        k = sample.classes.index(measure.of)
        score, positive = sample.probabilities[:, k], sample.target == k
        intervals = [interval_of_auc(positive, score, sample.patient, confidence)]
        auc = metrics.point()[measure]
        if level == "patient" and np.isfinite(auc):
            intervals.append(newcombe_interval(auc, int(positive.sum()), int((~positive).sum()), confidence))
        return intervals
    trials = count_trials(metrics.confusion.sum(axis=0), sample.classes)
    if level == "patient" and measure in trials:
        return [wilson_interval(*trials[measure], confidence)]
    return []


def _spread_over_folds(
    folds: Sequence[Metrics], confidence: float
) -> dict[Measure, list[tuple[float, Interval]]]:
    """Mean of the folds' values and Student's t around it, for each measure; empty for a single fold."""
    if len(folds) < 2:
        return {}
    parts = [metrics.point() for metrics in folds]
    values = {measure: np.array([part[measure] for part in parts]) for measure in parts[0]}
    return {
        measure: [(float(of_folds.mean()), interval_over_folds(of_folds, confidence))]
        for measure, of_folds in values.items()
    }


def list_folds(predictions: Predictions, patients: str, settings: Settings) -> pd.DataFrame:
    """Every metric of every fold's rows, without intervals: what the spread over folds is made of.

    Args:
        predictions: Rows of images.
        patients: Which patients these are, for people.
        settings: How.

    Returns:
        Columns patients, fold, level, metric, of, value, n_patients, n_rows.
    """
    levels = {"image": predictions, "patient": aggregate_patients(predictions, settings.aggregation)}
    rows = []
    for level, part in levels.items():
        for fold in np.unique(part.table["fold"]):
            sample = Sample.of(part.of_fold(int(fold)))
            size = (sample.n_patients, len(sample.target))
            rows += [
                (patients, int(fold), level, *measure, value, *size)
                for measure, value in Metrics.of(sample).point().items()
            ]
    return pd.DataFrame(
        rows, columns=["patients", "fold", "level", "metric", "of", "value", "n_patients", "n_rows"]
    )
