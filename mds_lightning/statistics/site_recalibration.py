"""Recalibration of the models on a new site's labelled patients, evaluated on patients who were left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from mds_lightning.statistics.calibration import Calibration
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.several_models import (
    STUDENT_MODELS,
    Spread,
    interval_of_mean,
    interval_of_proportion,
)
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibration import Recalibration, learn_recalibration, recalibrate
from mds_lightning.statistics.sample import Sample

#: Probabilities: with the offsets of the validation patients, or recalibrated on the site.
CARRIED, OFFSET, OFFSET_AND_SLOPE = "as carried", "offset of the site", "offset and slope of the site"
#: Half-width of the interval of an offset for which the number of patients is given: of the log-odds, so that
#: a probability of 0.5 is known to lie between 0.38 and 0.62.
PRECISION = 0.5
#: More patients than this are left out in groups.
_MOST_GROUPS = 100
#: With fewer patients of a class, none remains when one is left out.
FEWEST = 2

CALIBRATION_COLUMNS = (
    "site", "probabilities", "metric", "class", "value", "low", "high", "interval", "lowest", "highest",
    "note", "n_models", "n_patients",
)  # fmt: skip
OFFSET_COLUMNS = (
    "site", "class", "offset", "low", "high", "interval", "models", "n_patients", "precision",
    "patients_needed",
)  # fmt: skip


@dataclass(frozen=True)
class SiteRecalibration:
    """The recalibration on each site.

    Attributes:
        calibration: `CALIBRATION_COLUMNS`: patient-level calibration, sensitivity and specificity of the
            most probable class, as carried and recalibrated; of the recalibrated, each patient's probability
            is computed without the patient.
        offsets: `OFFSET_COLUMNS`: what was learned from all patients of the site: mean over the models, and
            the number of patients for which its interval is plus or minus `PRECISION`.
        left_out: Site to the reason why nothing was learned there.
    """

    calibration: pd.DataFrame
    offsets: pd.DataFrame
    left_out: Mapping[str, str]


def recalibrate_sites(patients: Predictions, confidence: float = 0.95) -> SiteRecalibration:
    """Recalibrate each fold's model on the external patients of each site.

    Args:
        patients: Pooled rows, one per patient and fold, recalibrated on validation patients.
        confidence: Of the intervals.

    Raises:
        ValueError: There are no external patients, or no site has enough of every class.
    """
    external = patients.split("external")
    if external.table.empty:
        raise ValueError(
            "recalibrate=site: the study has no external patients: mark them in the manifest's column "
            "external, or leave recalibrate out"
        )
    calibration: list[tuple[object, ...]] = []
    offsets: list[tuple[object, ...]] = []
    left_out = {}
    for site in sorted(set(external.table["site"])):
        rows, name = external.where(external.table["site"] == site), site or "no site"
        counts = rows.table.drop_duplicates("patient_id")["label"].value_counts()
        few = [one for one in patients.classes if counts.get(one, 0) < FEWEST]
        if few:
            left_out[name] = f"fewer than {FEWEST} patients are {' or '.join(few)}"
            continue
        for how, part in (
            (CARRIED, rows),
            (OFFSET, cross_fit(rows, with_slope=False)),
            (OFFSET_AND_SLOPE, cross_fit(rows, with_slope=True)),
        ):
            calibration += [(name, how, *line) for line in _measure(part, confidence)]
        offsets += [(name, *line) for line in _learn(rows, confidence)]
    if not calibration:
        reasons = "; ".join(f"{site}: {reason}" for site, reason in left_out.items())
        raise ValueError(
            f"recalibrate=site: an offset is learned from at least {FEWEST} labelled patients of each class, "
            f"and no site of the external patients has them ({reasons}): add patients, or leave recalibrate "
            "out"
        )
    return SiteRecalibration(
        pd.DataFrame(calibration, columns=list(CALIBRATION_COLUMNS)),
        pd.DataFrame(offsets, columns=list(OFFSET_COLUMNS)),
        left_out,
    )


def cross_fit(rows: Predictions, with_slope: bool) -> Predictions:
    """Rows recalibrated without the patient, or without the patient's group of at most a hundredth.

    Args:
        rows: One per patient and fold.
        with_slope: Whether a slope is learned beside the offset.
    """
    sample = Sample.of(rows)
    # Groups mix the classes, so that every class remains.
    order = np.lexsort([np.arange(sample.n_patients), sample.patient_class])
    group = np.empty(sample.n_patients, np.int64)
    group[order] = np.arange(sample.n_patients) % min(sample.n_patients, _MOST_GROUPS)
    probabilities = rows.probabilities.copy()
    for fold in np.unique(sample.fold):
        for one in range(int(group.max()) + 1):
            inside = group[sample.patient] == one
            others, own = ~inside & (sample.fold == fold), inside & (sample.fold == fold)
            learned = learn_recalibration(sample.target[others], sample.probabilities[others], with_slope)
            probabilities[own] = learned.apply(sample.probabilities[own])
    columns = [f"prob_{name}" for name in rows.classes]
    table = rows.table.assign(**dict(zip(columns, probabilities.T, strict=True)))
    return Predictions(table, rows.classes)


def _measure(rows: Predictions, confidence: float) -> Iterator[tuple[object, ...]]:
    """Calibration of each scored class and recall of each class: the mean over the models."""
    sample = Sample.of(rows)
    models = [sample.where(sample.fold == fold) for fold in np.unique(sample.fold)]
    for k in sample.scored_classes:
        several = [Calibration(one.target == k, one.probabilities[:, k], one.patient) for one in models]
        weights = np.vstack([np.ones(sample.n_patients), 1.0 - np.eye(sample.n_patients)])
        measured = [one(weights) for one in several]
        for metric in ("brier", "intercept", "slope"):
            values = np.stack([one[metric] for one in measured])
            spread = Spread.of(values[:, 0], values[:, 1:].mean(axis=0), sample.patient_class)
            interval = _limit(spread, confidence, metric == "brier")
            yield (metric, sample.classes[k], *_write(spread, interval), sample.n_patients)
    for k, name in enumerate(sample.classes):
        own = np.flatnonzero(sample.patient_class == k)
        correct = np.stack([_order(one, one.predicted == k)[own] for one in models]).astype(float)
        left_out = (correct.sum(axis=1, keepdims=True) - correct) / (len(own) - 1)
        spread = Spread.of(correct.mean(axis=1), left_out.mean(axis=0), np.zeros(len(own), np.int64))
        interval = interval_of_proportion(spread, len(own), confidence)
        yield ("recall", name, *_write(spread, interval), sample.n_patients)


def _order(model: Sample, values: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Values of one model's rows by the number of the patient."""
    ordered = np.zeros(model.n_patients, bool)
    ordered[model.patient] = values
    return ordered


def _limit(spread: Spread, confidence: float, is_bounded: bool) -> Interval:
    if not np.isfinite(spread.values).all() or not np.isfinite(spread.patients):
        return Interval.undefined(
            STUDENT_MODELS, "a threshold separates the classes of a model, so it has no finite estimate"
        )
    return interval_of_mean(spread, confidence, is_bounded)


def _write(spread: Spread, interval: Interval) -> tuple[object, ...]:
    values = spread.values
    return (
        spread.mean, interval.low, interval.high, interval.method, float(values.min()), float(values.max()),
        interval.note, len(values),
    )  # fmt: skip


def _learn(rows: Predictions, confidence: float) -> Iterator[tuple[object, ...]]:
    """The offset of each class but the first, from all patients, and how many patients it needs."""
    folds = [int(fold) for fold in np.unique(rows.table["fold"])]
    learned: dict[int, Recalibration] = {}
    for fold in folds:
        one = rows.of_fold(fold)
        learned[fold] = learn_recalibration(one.target, one.probabilities, with_slope=False)
    after = recalibrate(rows, learned)
    z, n_patients = float(ndtri((1 + confidence) / 2)), rows.table["patient_id"].nunique()
    for k, name in enumerate(rows.classes):
        if k == 0:
            continue
        offsets = np.array([learned[fold].offsets[k] for fold in folds])
        chances = np.stack([after.of_fold(fold).probabilities[:, k] for fold in folds])
        # Fisher's information of an offset is the sum of p (1 - p) over the patients.
        information = float((chances * (1 - chances)).mean())
        models = float(offsets.var(ddof=1) / len(folds)) if len(folds) > 1 else 0.0
        own = 1 / (n_patients * information)
        terms = models**2 / max(len(folds) - 1, 1) + own**2 / (n_patients - 1)
        half_width = float(stdtrit((models + own) ** 2 / terms, (1 + confidence) / 2)) * (models + own) ** 0.5
        offset = float(offsets.mean())
        yield (
            name, offset, offset - half_width, offset + half_width, STUDENT_MODELS,
            ", ".join(f"{one:.2f}" for one in offsets), n_patients, PRECISION,
            int(np.ceil((z / PRECISION) ** 2 / information)),
        )  # fmt: skip
