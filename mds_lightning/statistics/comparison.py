"""Models compared on the same patients: paired differences, adjusted for multiplicity, and their ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from mds_lightning.statistics.intervals.bootstrap import Bootstrap, bootstrap
from mds_lightning.statistics.intervals.delong import covary_aucs
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.metrics.roc_auc_within_folds import compute_within_folds, count_by_fold
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import PreparedSample

#: Note of a difference without a DeLong test.
_TOO_FEW = "a fold has fewer than two patients of a class, so the DeLong test is undefined"


@dataclass(frozen=True)
class Comparison:
    """Several models compared on the same patients.

    Attributes:
        models: One row per model, best first: model, roc_auc_within_folds, low, high (Newcombe's for one row
            per patient, else BCa), rank_low, rank_high, fraction_best (of resamples in which it has rank 1).
        differences: One row per model except the reference: model, reference, difference, low, high
            (percentile), p_bootstrap, p_delong, p_holm (DeLong's p values after Holm), note.
        rank_fractions: (models, ranks) fraction of resamples in which the model of each row of `models` has
            the rank.
    """

    models: pd.DataFrame
    differences: pd.DataFrame
    rank_fractions: NDArray[np.float64]


def compare_models(
    predictions: Mapping[str, Predictions],
    reference: str,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare the ROC-AUC within folds of models on the same patients, resampled together within folds.

    Args:
        predictions: Model to its rows (of images or patients) of two classes; the same rows for all.
        reference: The model that the others are compared with. Choose it without these rows (on validation):
            otherwise the differences are biased in its favour.
        n_resamples: Resamples of the bootstrap over patients.
        confidence: Of the intervals.
        seed: Of the resamples.

    Raises:
        ValueError: Fewer than two models, an unknown reference, or models with different rows.
    """
    names = list(predictions)
    if len(names) < 2 or reference not in names:
        raise ValueError(
            f"cannot compare {names} with {reference!r}: give two or more models, one of them the reference"
        )
    samples = _align(predictions)
    prepared = {name: PreparedSample(sample) for name, sample in zip(names, samples, strict=True)}

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        values = {name: compute_within_folds(one.weigh(weights)) for name, one in prepared.items()}
        return {name: by_class[samples[0].classes[1]] for name, by_class in values.items()}

    resampled = bootstrap(statistic, samples[0].strata_by_fold(), n_resamples, seed)
    order = sorted(names, key=lambda name: -resampled.point[name])
    draws = np.stack([resampled.resamples[name] for name in order])
    # Equal models get the better rank.
    ranks = 1 + (draws[None, :, :] > draws[:, None, :] + 1e-12).sum(axis=1)
    tail = (1 - confidence) / 2
    rows = []
    for place, name in enumerate(order):
        interval = _choose_interval(samples[0], resampled, name, confidence)
        low, high = np.quantile(ranks[place], [tail, 1 - tail], method="closest_observation")
        best = float((ranks[place] == 1).mean())
        rows.append((name, resampled.point[name], interval.low, interval.high, int(low), int(high), best))
    models = pd.DataFrame(
        rows,
        columns=["model", "roc_auc_within_folds", "low", "high", "rank_low", "rank_high", "fraction_best"],
    )
    fractions = np.stack([(ranks == rank).mean(axis=1) for rank in range(1, len(order) + 1)], axis=1)
    differences = _differences(order, reference, draws, dict(zip(names, samples, strict=True)), tail)
    return Comparison(models, differences, fractions)


def adjust_holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Holm's step-down adjustment (Scand J Stat 6 (1979) 65); NaN stays NaN and does not count."""
    p = np.asarray(p_values, float)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return adjusted


def _choose_interval(sample: Sample, resampled: Bootstrap[str], name: str, confidence: float) -> Interval:
    """The interval that is shown for the ROC-AUC within folds elsewhere."""
    if len(sample.target) > sample.n_patients:
        return resampled.bca(name, confidence)
    positives, negatives = count_by_fold(sample, 1)
    return newcombe_interval(resampled.point[name], positives, negatives, confidence)


def _differences(
    order: list[str], reference: str, draws: NDArray[np.float64], samples: dict[str, Sample], tail: float
) -> pd.DataFrame:
    first = samples[reference]
    scores = np.stack([samples[name].probabilities[:, 1] for name in order], axis=1)
    auc, c = _covary_within_folds(first, scores)
    base = order.index(reference)
    rows = []
    for place, name in enumerate(order):
        if name == reference:
            continue
        drawn = draws[place] - draws[base]
        low, high = np.quantile(drawn, [tail, 1 - tail], method="weibull")
        difference = float(auc[place] - auc[base])
        variance = float(c[place, place] + c[base, base] - 2 * c[place, base])
        same = variance < 1e-15
        unknown = same or np.isnan(variance)
        p_delong = float("nan") if unknown else float(2 * ndtr(-abs(difference) / variance**0.5))
        note = "both rank all patients the same way" if same else _TOO_FEW if unknown else ""
        rows.append((name, reference, difference, low, high, _two_sided(drawn), p_delong, note))
    table = pd.DataFrame(
        rows,
        columns=["model", "reference", "difference", "low", "high", "p_bootstrap", "p_delong", "note"],
    )
    table.insert(7, "p_holm", adjust_holm(table["p_delong"].tolist()))
    return table


def _covary_within_folds(
    sample: Sample, scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ROC-AUCs within folds (models,) and their covariance (models, models), NaN where a fold has too few.

    Folds test different patients, so the covariances of the folds' ROC-AUCs add up, with the squared weights
    of the folds: their fractions of the pairs.
    """
    auc, covariance, pairs = np.zeros(scores.shape[1]), np.zeros((scores.shape[1],) * 2), 0
    for fold in np.unique(sample.fold):
        rows = sample.fold == fold
        positive = sample.target[rows] == 1
        n = int(positive.sum()) * int((~positive).sum())
        if n == 0:
            continue
        try:
            result = covary_aucs(positive, scores[rows], sample.patient[rows])
        except ValueError:
            return np.full_like(auc, np.nan), np.full_like(covariance, np.nan)
        auc, covariance, pairs = auc + n * result.auc, covariance + n**2 * result.covariance, pairs + n
    return auc / pairs, covariance / pairs**2


def _two_sided(drawn: NDArray[np.float64]) -> float:
    """Two-sided p value: twice the smaller fraction of resamples on either side of 0; never 0."""
    least = min((drawn <= 1e-12).sum(), (drawn >= -1e-12).sum())
    return float(min(2 * (least + 1) / (len(drawn) + 1), 1.0))


def _align(predictions: Mapping[str, Predictions]) -> list[Sample]:
    """The models' samples with their rows in the same order."""
    first_name, first = next(iter(predictions.items()))
    keys = ["image", "patient_id", "label", "fold"]
    wanted = first.table[keys].sort_values("image").reset_index(drop=True)
    samples = []
    for name, part in predictions.items():
        table = part.table.sort_values("image").reset_index(drop=True)
        if not part.is_binary:
            raise ValueError(
                f"{name} has {len(part.classes)} classes: only models of two classes are compared"
            )
        if not table[keys].equals(wanted):
            raise ValueError(
                f"{name} and {first_name} were not tested on the same rows in the same folds, so their "
                "difference is undefined"
            )
        samples.append(Sample.of(Predictions(table, part.classes)))
    return samples
