"""Confusion matrices, for many weightings of the patients at once, and the metrics that follow from them."""

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.sample import Sample


def count_confusion(sample: Sample) -> NDArray[np.float64]:
    """(patients, classes, classes): rows of each patient by true class and decided class."""
    n = len(sample.classes)
    cell = (sample.patient * n + sample.target) * n + sample.decided
    return np.bincount(cell, minlength=sample.n_patients * n * n).reshape(-1, n, n).astype(np.float64)


def weigh_confusion(counts: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(resamples, classes, classes): the patients' matrices added up under each row of `weights`."""
    n = counts.shape[-1]
    return (weights @ counts.reshape(len(counts), n * n)).reshape(-1, n, n)


def measure_confusion(
    matrices: NDArray[np.float64], classes: tuple[str, ...]
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Every metric of confusion matrices (resamples, true, decided), by (metric, of what); NaN if undefined.

    `balanced_accuracy` is the macro average of recall. F1 is 2 TP / (2 TP + FP + FN). MCC is the multi-class
    one of Gorodkin, Comput Biol Chem 28 (2004) 367.
    """
    total = matrices.sum(axis=(1, 2))
    hit = np.diagonal(matrices, axis1=1, axis2=2)
    actual, decided = matrices.sum(axis=2), matrices.sum(axis=1)
    rest = total[:, None] - actual
    with np.errstate(invalid="ignore", divide="ignore"):
        per_class = {
            "precision": hit / decided,
            "recall": hit / actual,
            "specificity": (rest - (decided - hit)) / rest,
            "f1": 2 * hit / (actual + decided),
        }
        overall = {
            "accuracy": hit.sum(axis=1) / total,
            "balanced_accuracy": per_class["recall"].mean(axis=1),
            "mcc": _mcc(hit.sum(axis=1), actual, decided, total),
        }
    measures = {(metric, "overall"): values for metric, values in overall.items()}
    for metric, values in per_class.items():
        measures |= {(metric, name): values[:, k] for k, name in enumerate(classes)}
    measures |= {(metric, "macro"): per_class[metric].mean(axis=1) for metric in ("precision", "f1")}
    return measures


def count_trials(
    matrix: NDArray[np.float64], classes: tuple[str, ...]
) -> dict[tuple[str, str], tuple[float, float]]:
    """(successes, trials) behind every proportion, of one confusion matrix (true, decided)."""
    total, hits = float(matrix.sum()), np.diagonal(matrix)
    actual, decided = matrix.sum(axis=1), matrix.sum(axis=0)
    trials = {("accuracy", "overall"): (float(hits.sum()), total)}
    for k, name in enumerate(classes):
        trials["precision", name] = (float(hits[k]), float(decided[k]))
        trials["recall", name] = (float(hits[k]), float(actual[k]))
        rest = total - float(actual[k])
        trials["specificity", name] = (rest - float(decided[k] - hits[k]), rest)
    return trials


def _mcc(
    hits: NDArray[np.float64],
    actual: NDArray[np.float64],
    decided: NDArray[np.float64],
    total: NDArray[np.float64],
) -> NDArray[np.float64]:
    covariance = hits * total - (actual * decided).sum(axis=1)
    spread = (total**2 - (decided**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    return covariance / np.sqrt(spread)
