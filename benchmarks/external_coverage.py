"""Coverage of the intervals of external patients, for the mean of models that are trained in the same way.

    python -m benchmarks.external_coverage                # 1,000 cohorts per setting
    python -m benchmarks.external_coverage --cohorts 200

Five models predict the same external patients. An image's score is the class's shift plus an effect of the
patient plus noise of model and image; a patient's score is the mean of the images, of which positive patients
have four and negative ones a single one. Each model has its own quality (standard deviation of the logarithm
0.15) and its own threshold, which misses the best one by an error that is new for each model. The true value
is the mean over all such models. In mixed sources, all external patients are positive, and each model is
compared with internal negative patients of its own: a fifth of them.

Beside the intervals of `evaluate` those that leave out the models' variance: Wilson's and Newcombe's.
"""

import argparse
import os
import time
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.simulation_table import print_head, print_precision
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.intervals.several_models import (
    Spread,
    interval_of_auc,
    interval_of_proportion,
)
from mds_lightning.statistics.intervals.wilson import wilson_interval

MODELS, IMAGES = 5, {1: 4, 0: 1}
#: Standard deviations of a patient's effect, of an image's noise, and of the logarithm of a model's quality.
PATIENT, NOISE, QUALITY = 0.8, 0.6, 0.15
#: Models from which a true value is computed.
MANY = 200_000

Floats = NDArray[np.float64]


def _deviation(label: int) -> float:
    """Standard deviation of a patient's score."""
    return float((PATIENT**2 + NOISE**2 / IMAGES[label]) ** 0.5)


def find_true_values(separation: float, error: float) -> tuple[float, float]:
    """Sensitivity and ROC-AUC, each the mean over many models.

    Args:
        separation: Median distance of the classes' means.
        error: Standard deviation of a model's threshold.
    """
    generator = np.random.default_rng(0)
    quality = separation * np.exp(generator.normal(0, QUALITY, MANY))
    threshold = generator.normal(0, error, MANY)
    sensitivity = ndtr((quality / 2 - threshold) / _deviation(1)).mean()
    auc = ndtr(quality / np.hypot(_deviation(0), _deviation(1))).mean()
    return float(sensitivity), float(auc)


def _draw(generator: np.random.Generator, count: int, label: int) -> Floats:
    """(models, count) deviations of the patients' scores from their class's mean."""
    noise = generator.normal(0, NOISE / IMAGES[label] ** 0.5, (MODELS, count))
    return generator.normal(0, PATIENT, count) + noise


def _estimate_sensitivity(called: NDArray[np.bool_]) -> tuple[Interval, Interval]:
    correct = called.astype(float)
    count = correct.shape[1]
    left_out = (correct.sum(axis=1, keepdims=True) - correct).mean(axis=0) / (count - 1)
    spread = Spread.of(correct.mean(axis=1), left_out, np.zeros(count, np.int64))
    return interval_of_proportion(spread, count), wilson_interval(spread.mean * count, count)


def _estimate_auc(positive: Floats, negative: Floats, is_mixed: bool) -> tuple[Interval, Interval]:
    n, m = positive.shape[1], negative.shape[1]
    right = positive[:, :, None] > negative[:, None, :]
    if is_mixed:
        # Each model has a fifth of the negative patients.
        own = (np.arange(m) % MODELS == np.arange(MODELS)[:, None])[:, None, :]
        right = right & own
        pairs = np.broadcast_to(own, right.shape)
    else:
        pairs = np.ones_like(right)
    total, found = pairs.sum(axis=(1, 2)), right.sum(axis=(1, 2))
    without = [
        ((found[:, None] - right.sum(axis=axis)) / (total[:, None] - pairs.sum(axis=axis))).mean(axis=0)
        for axis in (2, 1)
    ]
    strata = np.zeros(n + m, np.int64)
    strata[n:] = np.arange(m) % MODELS + 1 if is_mixed else 1
    spread = Spread.of(found / total, np.concatenate(without), strata)
    return interval_of_auc(spread, n, m), newcombe_interval(spread.mean, n, m)


def measure_coverage(
    patients: int, separation: float, error: float, is_mixed: bool, cohorts: int
) -> dict[str, list[float]]:
    """Metric to true value, coverage and mean width with the models' variance, and the same without.

    Args:
        patients: Positive external patients; there are as many negative ones.
        separation: Median distance of the classes' means.
        error: Standard deviation of a model's threshold.
        is_mixed: Whether the negative patients are internal ones.
        cohorts: Number of simulated cohorts.
    """
    truths = dict(zip(("sensitivity", "ROC-AUC"), find_true_values(separation, error), strict=True))
    found: dict[str, list[Sequence[float]]] = {name: [] for name in truths}
    for cohort in range(cohorts):
        generator = np.random.default_rng([patients, cohort])
        quality = separation * np.exp(generator.normal(0, QUALITY, (MODELS, 1)))
        threshold = generator.normal(0, error, (MODELS, 1))
        positive = quality / 2 + _draw(generator, patients, 1)
        negative = -quality / 2 + _draw(generator, patients, 0)
        for name, pair in (
            ("sensitivity", _estimate_sensitivity(positive > threshold)),
            ("ROC-AUC", _estimate_auc(positive, negative, is_mixed)),
        ):
            found[name].append(
                [x for one in pair for x in (one.low <= truths[name] <= one.high, one.high - one.low)]
            )
    return {name: [truths[name], *np.mean(lines, axis=0).tolist()] for name, lines in found.items()}


def main() -> None:
    """Print a line for each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=1000)
    arguments = parser.parse_args()
    start = time.process_time()
    heads = (
        "metric", "external positives", "error of thresholds", "true value", "coverage (mean width)",
        "without the models' variance",
    )  # fmt: skip
    print_head(heads)
    for patients in (10, 30, 100):
        for separation, error in ((1.5, 0.2), (1.5, 0.6), (3.0, 0.2), (3.0, 0.6)):
            for is_mixed in (False, True):
                found = measure_coverage(patients, separation, error, is_mixed, arguments.cohorts)
                for name, (true, inside, width, plain, narrow) in found.items():
                    if (name == "sensitivity" and is_mixed) or (name == "ROC-AUC" and error > 0.5):
                        # The same as in the other setting.
                        continue
                    label = f"{name}, internal negatives" if is_mixed else name
                    threshold = "–" if name == "ROC-AUC" else f"{error:g}"
                    print(
                        f"| {label} | {patients} | {threshold} | {true:.3f} | {inside:.1%} ({width:.2f}) "
                        f"| {plain:.1%} ({narrow:.2f}) |",
                        flush=True,
                    )
    print_precision(arguments.cohorts, start)


if __name__ == "__main__":
    main()
