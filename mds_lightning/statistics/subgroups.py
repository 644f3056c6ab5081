"""Performance within the groups of a clinical column; estimates of small groups are withheld."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.cut_points import write_cut
from mds_lightning.statistics.intervals.bootstrap import BCA, bootstrap
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.intervals.wilson import wilson_interval
from mds_lightning.statistics.metric import Measure
from mds_lightning.statistics.metrics.recall import count_trials
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import PreparedSample

#: With fewer patients than this, neither the size of a group nor an estimate is given.
FEWEST = 10
#: A numerical column with more different values than this is divided into thirds.
_MOST_VALUES = 6

COLUMNS = (
    "column", "group", "patients", "n_patients", "metric", "class", "value", "low", "high", "interval",
    "note",
)  # fmt: skip


def estimate_subgroups(
    predictions: Predictions,
    values: "pd.Series[Any]",
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """ROC-AUC (bootstrap; Newcombe at 1) and recall of each class (Wilson) within each group of one column.

    Where only one class's patients have a value (a subtype, say), each group is compared with all patients of
    the other classes. A metric that rests on fewer than `FEWEST` patients of a class is withheld.

    Args:
        predictions: One row per patient.
        values: patient_id to value, named after its column; numbers with many values are divided into thirds.
        n_resamples: Resamples of the bootstrap over patients.
        confidence: Of the intervals.
        seed: Of the resamples.

    Returns:
        `COLUMNS`. Patients without a value belong to no group.
    """
    group_of = predictions.table["patient_id"].map(group_values(values))
    rows: list[tuple[object, ...]] = []
    known = group_of.notna().to_numpy()
    present = np.unique(predictions.target[known])
    for group in sorted(group_of.dropna().unique(), key=_natural):
        inside = (group_of == group).to_numpy()
        if len(present) == 1 and len(np.unique(predictions.target)) > 1:
            chosen = inside | (predictions.target != present[0])
            against = f"against all patients who are not {predictions.classes[present[0]]}"
        else:
            chosen, against = inside, "within the group"
        shown = int(inside.sum()) if inside.sum() >= FEWEST else pd.NA
        sample = Sample.of(predictions.where(chosen))
        classes = present if len(present) == 1 else range(len(predictions.classes))
        measured = _measure(sample, [predictions.classes[k] for k in classes], n_resamples, confidence, seed)
        for measure, value, interval in measured:
            line = (*measure, value, interval.low, interval.high, interval.method, interval.note)
            rows.append((values.name, str(group), against, shown, *line))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n_patients": "Int64"})


def group_values(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """patient_id to group: the value, or a third where there are many numbers; missing stays missing."""
    numbers = pd.to_numeric(values, errors="coerce")
    numeric = bool((numbers.notna() == values.notna()).all()) and numbers.nunique() > _MOST_VALUES
    if not numeric:
        return values.where(values.notna(), None).map(str, na_action="ignore")
    known = numbers.dropna().to_numpy(float)
    edges = np.unique(np.quantile(known, [1 / 3, 2 / 3]))
    place = np.digitize(numbers, edges, right=True)
    cuts = [write_cut(known, edge) for edge in edges]
    names = [f"≤ {cuts[0]}", *(f"> {low} to {high}" for low, high in pairwise(cuts)), f"> {cuts[-1]}"]
    chosen = [names[k] if ok else None for k, ok in zip(place, numbers.notna(), strict=True)]
    return pd.Series(chosen, index=values.index, name=values.name, dtype=object)


def _measure(
    sample: Sample, recall_classes: list[str], n_resamples: int, confidence: float, seed: int
) -> Iterator[tuple[Measure, float, Interval]]:
    prepared = PreparedSample(sample)
    sizes = np.bincount(sample.target, minlength=len(sample.classes))
    for name in prepared.rankings:
        k = sample.classes.index(name)
        measure = Measure("roc_auc", name)
        if min(sizes[k], sizes.sum() - sizes[k]) < FEWEST:
            yield measure, float("nan"), _withheld(BCA)
            continue

        def statistic(
            weights: NDArray[np.float64], ranking: str = name
        ) -> dict[Measure, NDArray[np.float64]]:
            correct, total = prepared.rankings[ranking].pairs(weights)
            return {Measure("roc_auc", ranking): correct / total}

        result = bootstrap(statistic, sample.patient_class, n_resamples, seed)
        auc, interval = result.point[measure], result.bca(measure, confidence)
        if interval.high == interval.low:
            # The model ranks all patients of a small group correctly, so the resamples do not vary.
            interval = newcombe_interval(auc, int(sizes[k]), int(sizes.sum() - sizes[k]), confidence)
        yield measure, auc, interval
    for name in recall_classes:
        successes, total = count_trials(prepared.unweighted, name)
        if total < FEWEST:
            yield Measure("recall", name), float("nan"), _withheld("Wilson")
        else:
            yield Measure("recall", name), successes / total, wilson_interval(successes, total, confidence)


def _withheld(method: str) -> Interval:
    return Interval.undefined(method, f"fewer than {FEWEST} patients of a class: withheld")


def _natural(group: object) -> tuple[int, str]:
    """Thirds in their order, other groups by name."""
    text = str(group)
    place = 0 if text.startswith("≤") else 1 if " to " in text else 2 if text.startswith(">") else 0
    return place, text
