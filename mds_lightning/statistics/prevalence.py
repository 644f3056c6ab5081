"""Predictive values and probabilities at the prevalence of a clinic instead of the cohort's."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.mover import interval_of_ratio
from mds_lightning.statistics.intervals.wilson import wilson_interval
from mds_lightning.statistics.operating_point import Rule, apply_thresholds, choose_fold_thresholds
from mds_lightning.statistics.operating_point_estimates import RULES
from mds_lightning.statistics.predictions import Predictions

COLUMNS = ("rule", "prevalence", "metric", "value", "low", "high", "interval", "note", "n_patients")


def shift_prevalence(patients: Predictions, prevalence: float) -> Predictions:
    """Test patients with their probabilities at another prevalence.

    A recalibrated probability holds for the class frequencies of the fold's validation patients. Its odds are
    multiplied by the ratio of the odds of `prevalence` and of those frequencies, which is right where the
    patients of each class are like those of the cohort (Elkan, IJCAI 2001, theorem 2).

    Args:
        patients: Recalibrated rows of two classes, one per patient, of the splits val and test.
        prevalence: Fraction of the positive class, in (0, 1).

    Raises:
        ValueError: The validation patients of a fold are all of one class.
    """
    assert patients.is_binary, "a prevalence is of one class of two"
    test, val = patients.split("test"), patients.split("val")
    folds = test.table["fold"].to_numpy()
    shifted = test.probabilities
    for fold in np.unique(folds):
        fraction = val.of_fold(int(fold)).target.mean() if len(val.of_fold(int(fold)).table) else 0.0
        if not 0 < fraction < 1:
            raise ValueError(f"the validation patients of fold {fold} are not of both classes")
        weights = np.array([(1 - prevalence) / (1 - fraction), prevalence / fraction])
        shifted[folds == fold] *= weights
    shifted /= shifted.sum(axis=1, keepdims=True)
    columns = [f"prob_{name}" for name in patients.classes]
    return Predictions(test.table.assign(**dict(zip(columns, shifted.T, strict=True))), patients.classes)


def estimate_predictive_values(
    patients: Predictions, prevalence: float, confidence: float = 0.95, rules: Sequence[Rule] = RULES
) -> pd.DataFrame:
    """Sensitivity, specificity and the predictive values that follow from them at a prevalence.

    Each fold's threshold is chosen on its validation patients and applied to its test patients. The limits of
    the predictive values are those of the likelihood ratios: `interval_of_ratio`.

    Args:
        patients: Rows of two classes, one per patient, of the splits val and test.
        prevalence: Fraction of the positive class, in (0, 1).
        confidence: Of the intervals.
        rules: How thresholds are chosen.

    Returns:
        `COLUMNS`; empty where the validation patients of a fold are all of one class.
    """
    rows: list[tuple[object, ...]] = []
    test = patients.split("test")
    for rule in rules:
        thresholds = choose_fold_thresholds(patients, rule)
        if set(test.table["fold"]) - thresholds.keys():
            continue
        predicted, positive = apply_thresholds(test, thresholds).probabilities[:, 1] > 0.5, test.target == 1
        found, total = float((predicted & positive).sum()), float(positive.sum())
        spared, others = float((~predicted & ~positive).sum()), float((~positive).sum())
        for metric, value, interval in _measure((found, total), (spared, others), prevalence, confidence):
            note = "no patient is predicted so" if np.isnan(value) else interval.note
            limits = (interval.low, interval.high, interval.method, note)
            rows.append((rule.name, prevalence, metric, value, *limits, len(test.table)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _measure(
    found: tuple[float, float], spared: tuple[float, float], prevalence: float, confidence: float
) -> Iterator[tuple[str, float, Interval]]:
    """(metric, value, interval) from the sensitivity's and the specificity's successes and trials."""
    yield "sensitivity", found[0] / found[1], wilson_interval(*found, confidence)
    yield "specificity", spared[0] / spared[1], wilson_interval(*spared, confidence)
    missed, alarmed = (found[1] - found[0], found[1]), (spared[1] - spared[0], spared[1])
    odds = prevalence / (1 - prevalence)
    for metric, over, under, prior in (
        ("positive predictive value", found, alarmed, odds),
        ("negative predictive value", spared, missed, 1 / odds),
    ):
        ratio = _divide(over[0] / over[1], under[0] / under[1])
        interval = interval_of_ratio(over, under, confidence)
        low, high = (_to_probability(prior * limit) for limit in (interval.low, interval.high))
        yield metric, _to_probability(prior * ratio), Interval(low, high, interval.method)


def _divide(over: float, under: float) -> float:
    if under > 0:
        return over / under
    return float("inf") if over > 0 else float("nan")


def _to_probability(odds: float) -> float:
    return 1.0 if odds == float("inf") else odds / (1 + odds)
