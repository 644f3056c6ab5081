"""Tables of metrics with their intervals: one row for each level, metric, class and kind of interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mds_lightning.statistics.aggregate import Aggregation
from mds_lightning.statistics.intervals.bootstrap import Bootstrap, bootstrap
from mds_lightning.statistics.intervals.fold_spread import interval_over_folds
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.metric import Level, Measure
from mds_lightning.statistics.metric_registry import find_metric
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibrated_levels import list_levels
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.sample_metrics import SampleMetrics

#: Columns of every table of estimates.
COLUMNS = (
    "patients", "level", "metric", "class", "value", "low", "high", "interval", "note", "n_patients",
    "n_rows",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How estimates are computed.

    Attributes:
        aggregation: How the probabilities of a patient's images are combined.
        n_resamples: Resamples of the bootstrap over patients, at least 100.
        confidence: Of every interval, in (0, 1).
        seed: Of the resamples.
        prevalence: Fraction of the positive class among the patients of a clinic, for predictive values and
            net benefit there, between 0 and 1; null: only the prevalence of the cohort.
        recalibrate: `site`: also recalibrate the models on the labelled external patients of each site, and
            evaluate that on patients who were left out; `none`: use the offsets of the validation patients.
    """

    aggregation: Aggregation = "mean"
    n_resamples: int = 2000
    confidence: float = 0.95
    seed: int = 0
    prevalence: float | None = None
    recalibrate: Literal["none", "site"] = "none"

    def __post_init__(self) -> None:
        if self.n_resamples < 100:
            raise ValueError(f"n_resamples is {self.n_resamples}: give 100 or more, 2000 for a report")
        if not 0 < self.confidence < 1:
            raise ValueError(
                f"confidence is {self.confidence}: give a fraction between 0 and 1, such as 0.95"
            )
        if self.prevalence is not None and not 0 < self.prevalence < 1:
            raise ValueError(
                f"prevalence is {self.prevalence}: give a fraction between 0 and 1, such as 0.1, or null"
            )


def estimate(predictions: Predictions, patients: str, settings: Settings) -> pd.DataFrame:
    """Every metric of `predictions` at image and at patient level, from the probabilities as predicted.

    Args:
        predictions: Rows of images.
        patients: Which patients these are, as tables and reports call them.
        settings: Aggregation, resamples, confidence and seed.

    Returns:
        `COLUMNS`; a row for each kind of interval that a metric has. All pooled metrics share their
        resamples, at both levels. `value` is the estimate; of Student's t over folds it is the mean of the
        folds' values.
    """
    levels = list_levels(predictions, settings.aggregation)
    return estimate_levels(levels, patients, settings)


def estimate_levels(levels: Mapping[Level, Predictions], patients: str, settings: Settings) -> pd.DataFrame:
    """As `estimate`, for rows of each level, such as recalibrated ones."""
    parts = [estimate_level(rows, patients, level, settings) for level, rows in levels.items()]
    return pd.concat(parts, ignore_index=True)


def estimate_level(predictions: Predictions, patients: str, level: Level, settings: Settings) -> pd.DataFrame:
    """As `estimate`, for rows of one level."""
    sample = Sample.of(predictions)
    pooled = SampleMetrics.of(sample)
    numbers = [int(fold) for fold in np.unique(sample.fold)]
    folds = {fold: SampleMetrics.of(sample.where(sample.fold == fold)) for fold in numbers}
    results = [bootstrap(pooled, sample.patient_class, settings.n_resamples, settings.seed)]
    if len(folds) > 1:
        within = SampleMetrics.within_folds(sample)
        results.append(bootstrap(within, sample.strata_by_fold(), settings.n_resamples, settings.seed))
    spread = _spread_over_folds(folds, settings.confidence)
    rows = []
    for measure, resampled in _in_order(results):
        value, confidence = resampled.point[measure], settings.confidence
        intervals = [resampled.percentile(measure, confidence), resampled.bca(measure, confidence)]
        metric = find_metric(measure.metric)
        intervals += metric.intervals(pooled.prepared.unweighted, measure.class_name, level, confidence)
        reason = metric.explain_undefined(sample, measure.class_name) if np.isnan(value) else ""
        lines = [(value, interval) for interval in intervals] + spread.get(measure, [])
        rows += [
            (patients, level, *measure, number, i.low, i.high, i.method, reason or i.note)
            for number, i in lines
        ]
    table = pd.DataFrame(rows, columns=COLUMNS[:-2])
    return table.assign(n_patients=sample.n_patients, n_rows=len(sample.target))


def list_folds(predictions: Predictions, patients: str, settings: Settings) -> pd.DataFrame:
    """Every metric of every fold's rows, without intervals: the values behind Student's t over folds.

    Args:
        predictions: Rows of images.
        patients: Which patients these are, as tables and reports call them.
        settings: Only the aggregation is used.

    Returns:
        Columns patients, fold, level, metric, class, value, n_patients, n_rows.
    """
    return list_level_folds(list_levels(predictions, settings.aggregation), patients)


def list_level_folds(levels: Mapping[Level, Predictions], patients: str) -> pd.DataFrame:
    """As `list_folds`, for rows of each level, such as recalibrated ones."""
    rows = []
    for level, part in levels.items():
        for fold in np.unique(part.table["fold"]):
            sample = Sample.of(part.of_fold(int(fold)))
            size = (sample.n_patients, len(sample.target))
            rows += [
                (patients, int(fold), level, *measure, value, *size)
                for measure, value in SampleMetrics.of(sample).point().items()
            ]
    return pd.DataFrame(
        rows, columns=["patients", "fold", "level", "metric", "class", "value", "n_patients", "n_rows"]
    )


def _in_order(results: Sequence[Bootstrap[Measure]]) -> list[tuple[Measure, Bootstrap[Measure]]]:
    """Every measure with its resamples, in the order of the tables."""
    found = [(measure, resampled) for resampled in results for measure in resampled.point]
    return sorted(found, key=lambda one: find_metric(one[0].metric).sort_key)


def _spread_over_folds(
    folds: Mapping[int, SampleMetrics], confidence: float
) -> dict[Measure, list[tuple[float, Interval]]]:
    """Mean of the folds' values and Student's t around it, for each measure; empty for a single fold."""
    if len(folds) < 2:
        return {}
    parts = [metrics.point() for metrics in folds.values()]
    values = {measure: np.array([part[measure] for part in parts]) for measure in parts[0]}
    return {
        measure: [(float(of_folds.mean()), interval_over_folds(of_folds, confidence))]
        for measure, of_folds in values.items()
    }
