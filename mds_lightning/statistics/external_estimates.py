"""Metrics of external patients: the mean over the folds' models, with the variance of patients and models.

The classes are predicted at each fold's own threshold, chosen on its validation patients. The models' mean
probability (an ensemble) has no such threshold: all but one of its models were trained on any internal
patient.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.estimates import Settings
from mds_lightning.statistics.external import ExternalPatients, find_external
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.several_models import (
    STUDENT_MODELS,
    Spread,
    interval_of_auc,
    interval_of_mean,
    interval_of_proportion,
)
from mds_lightning.statistics.metric import Level, Measure, Metric
from mds_lightning.statistics.metric_registry import find_metric
from mds_lightning.statistics.operating_point import apply_thresholds, choose_fold_thresholds
from mds_lightning.statistics.operating_point_estimates import RULES
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.sample_metrics import SampleMetrics

COLUMNS = (
    "patients", "level", "rule", "metric", "class", "value", "low", "high", "interval", "lowest", "highest",
    "note", "n_models", "n_patients", "n_rows",
)  # fmt: skip
#: Rule of tasks with more than two classes.
LARGEST = "largest probability"
#: Patients that are left out at once.
_CHUNK = 64


def estimate_external(levels: Mapping[Level, Predictions], settings: Settings) -> pd.DataFrame:
    """Every metric of the external patients that their sources allow.

    Args:
        levels: Level to the pooled rows of a study, of all splits, recalibrated.
        settings: Only the confidence is used.

    Returns:
        `COLUMNS`: `rule` is empty for metrics of the ranking; `value` is the mean over the models, `lowest`
        and `highest` their range. Empty without external patients. For patients of mixed sources only the
        metrics with `Metric.for_mixed_sources`.
    """
    rows: list[tuple[object, ...]] = []
    for level, part in levels.items():
        external = find_external(part)
        if external is None:
            continue
        for measure, line in _measure_models(external.compared, settings.confidence):
            if find_metric(measure.metric).from_ranking and _is_allowed(measure, external):
                rows.append((external.compared_name, level, "", *measure, *line))
        for rule, called in _call(part).items():
            found = find_external(called)
            assert found is not None, "thresholds change probabilities and no rows"
            for measure, line in _measure_models(found.alone, settings.confidence):
                if _is_of_calls(measure, found) and _is_allowed(measure, found):
                    rows.append((external.name, level, rule, *measure, *line))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _call(predictions: Predictions) -> dict[str, Predictions]:
    """Rule to all rows with the classes predicted by it; without rules that lack a fold's threshold."""
    if not predictions.is_binary:
        return {LARGEST: predictions}
    folds = set(predictions.split("external").table["fold"])
    chosen = {rule.name: choose_fold_thresholds(predictions, rule) for rule in RULES}
    return {
        name: apply_thresholds(predictions.where(predictions.table["fold"].isin(folds)), thresholds)
        for name, thresholds in chosen.items()
        if not folds - thresholds.keys()
    }


def _is_allowed(measure: Measure, external: ExternalPatients) -> bool:
    """Whether the sources of the patients allow the metric."""
    wanted = find_metric(measure.metric).for_mixed_sources
    return (
        not external.mixture or wanted == "always" or (wanted == "two classes" and external.alone.is_binary)
    )


def _is_of_calls(measure: Measure, external: ExternalPatients) -> bool:
    """Whether a metric of predicted classes is reported, and external patients alone decide it."""
    metric, classes = find_metric(measure.metric), external.alone.classes
    if metric.from_ranking or not (metric.at_operating_points or len(classes) > 2):
        return False
    inside = set(external.alone.table["label"])
    if (
        measure.metric in ("recall", "specificity")
        and external.alone.is_binary
        and measure.class_name != classes[1]
    ):
        # The same as the other of the two for the positive class.
        return False
    if measure.metric == "recall":
        return measure.class_name in inside
    if measure.metric == "specificity":
        return inside != {measure.class_name}
    return inside == set(classes)


def _measure_models(
    predictions: Predictions, confidence: float
) -> Iterator[tuple[Measure, tuple[object, ...]]]:
    sample = Sample.of(predictions)
    folds = [SampleMetrics.of(sample.where(sample.fold == fold)) for fold in np.unique(sample.fold)]
    own = [one.point() for one in folds]
    left_out = leave_out_patients(folds, sample.n_patients)
    distinct = predictions.table.drop_duplicates("image")
    sizes = np.bincount(distinct["target"], minlength=len(predictions.classes))
    strata = sample.strata_by_fold()
    for measure in own[0]:
        values = np.array([one[measure] for one in own])
        note = _explain(measure, values, folds) or _find_single(strata)
        if note:
            interval = Interval.undefined(STUDENT_MODELS, note)
        else:
            spread = Spread.of(values, left_out[measure], strata)
            interval = _limit(measure, spread, sizes, predictions.classes, confidence)
        yield measure, (
            float(values.mean()), interval.low, interval.high, interval.method,
            float(values.min()), float(values.max()), interval.note,
            len(values), sample.n_patients, int(sizes.sum()),
        )  # fmt: skip


def leave_out_patients(
    models: Sequence[SampleMetrics], n_patients: int
) -> dict[Measure, NDArray[np.float64]]:
    """Each measure's mean over the models without each patient in turn, (patients,)."""
    parts = []
    for start in range(0, n_patients, _CHUNK):
        count = min(_CHUNK, n_patients - start)
        weights = 1.0 - np.eye(count, n_patients, start)
        several = [one(weights) for one in models]
        parts.append({key: np.mean([one[key] for one in several], axis=0) for key in several[0]})
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _explain(measure: Measure, values: NDArray[np.float64], folds: Sequence[SampleMetrics]) -> str:
    metric: Metric = find_metric(measure.metric)
    for value, one in zip(values, folds, strict=True):
        if np.isnan(value):
            fold = int(one.prepared.sample.fold[0])
            reason = metric.explain_undefined(one.prepared.sample, measure.class_name)
            return f"undefined for the model of fold {fold}: {reason}"
    return ""


def _find_single(strata: NDArray[np.int64]) -> str:
    if (np.bincount(strata) == 1).any():
        return "a class (or a class in a fold) has a single patient"
    return ""


def _limit(
    measure: Measure, spread: Spread, sizes: NDArray[np.int64], classes: tuple[str, ...], confidence: float
) -> Interval:
    """The interval of one measure; `sizes` counts the different rows of each class."""
    k = classes.index(measure.class_name) if measure.class_name in classes else -1
    if not np.isfinite(spread.patients):
        return Interval.undefined(STUDENT_MODELS, "undefined without one of the patients")
    if measure.metric == "roc_auc" and k >= 0:
        return interval_of_auc(spread, int(sizes[k]), int(sizes.sum() - sizes[k]), confidence)
    if measure.metric == "recall":
        return interval_of_proportion(spread, int(sizes[k]), confidence)
    if measure.metric == "specificity":
        return interval_of_proportion(spread, int(sizes.sum() - sizes[k]), confidence)
    if measure.metric == "accuracy":
        return interval_of_proportion(spread, int(sizes.sum()), confidence)
    return interval_of_mean(spread, confidence, is_bounded=0 < spread.mean < 1)
