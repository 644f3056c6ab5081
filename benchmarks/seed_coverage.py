"""Coverage of the interval of the ROC-AUC within folds for a model that is trained in the same way.

    python -m benchmarks.seed_coverage                # 1,500 cohorts per setting
    python -m benchmarks.seed_coverage --cohorts 200

Cohorts are those of `headline_coverage`, and every fold is trained with several seeds. The logarithm of a
model's quality has an effect of the fold (its training patients), an effect of the seed in all folds and one
of both; slope and offset are drawn for each model, and each model responds to each image in its own way. The
true value is the expected ROC-AUC of such a model: the mean of 2,000 models, of new folds and seeds, on 200
further patients of each class each.
"""

import argparse
import os
import time
from dataclasses import dataclass
from functools import cache

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.headline_coverage import FOLDS, IMAGES, NOISE, PATIENT
from benchmarks.simulation_table import print_head, print_precision
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.training_variance import TrainingVariance

#: Standard deviation of a model's own response to an image.
RESPONSE = 0.2
#: Models, and patients of each class, from which the true value is computed.
MODELS, MANY = 2000, 200


@dataclass(frozen=True)
class Training:
    """Standard deviations of the logarithm of a model's quality.

    Attributes:
        fold: Effect of the fold.
        seed: Effect of the seed, the same in all folds.
        both: Effect of the seed in one fold.
    """

    fold: float
    seed: float
    both: float


STABLE, UNSTABLE, COMMON = Training(0.05, 0.0, 0.15), Training(0.15, 0.0, 0.3), Training(0.1, 0.2, 0.2)


def measure_coverage(
    patients: int, separation: float, training: Training, seeds: int, cohorts: int
) -> dict[str, float]:
    """True value, and coverage and mean width of the intervals of the trained models and of such a model.

    Args:
        patients: Half of them are positive.
        separation: Median of the models' qualities: distance of the classes' means.
        training: How much models differ.
        seeds: Number of seeds.
        cohorts: Number of simulated cohorts.
    """
    generator = np.random.default_rng([2026, patients, seeds])
    shape = (cohorts, seeds, FOLDS)
    log_quality = generator.normal(0, training.fold, (cohorts, 1, FOLDS))
    log_quality = log_quality + generator.normal(0, training.seed, (cohorts, seeds, 1))
    log_quality = log_quality + generator.normal(0, training.both, shape)
    quality = separation * np.exp(log_quality)
    sizes = [np.bincount(np.arange(n) % FOLDS) for n in (patients // 2, patients - patients // 2)]
    aucs = np.zeros(shape)
    for fold in range(FOLDS):
        found = _score(generator, quality[..., fold], sizes[0][fold], sizes[1][fold])
        aucs[..., fold] = found
    truth = _true_value(separation, training)
    rows = []
    for cohort in aucs:
        one = newcombe_interval(_mean(cohort[:1], *sizes), sizes[0].tolist(), sizes[1].tolist())
        again = one if seeds == 1 else TrainingVariance.of(cohort, *sizes).interval()
        rows += [[i.low <= truth <= i.high, i.high - i.low] for i in (one, again)]
    mean = np.array(rows, float).reshape(-1, 4).mean(axis=0)
    return {"true": truth, "models": mean[0], "models_width": mean[1], "such": mean[2], "such_width": mean[3]}


def _mean(aucs: NDArray[np.float64], positives: NDArray[np.int64], negatives: NDArray[np.int64]) -> float:
    return float(np.average(aucs.mean(axis=0), weights=positives * negatives))


@cache
def _true_value(separation: float, training: Training) -> float:
    generator = np.random.default_rng(9)
    spread = (training.fold**2 + training.seed**2 + training.both**2) ** 0.5
    quality = separation * np.exp(generator.normal(0, spread, (MODELS, 1)))
    return float(np.mean([_score(generator, one, MANY, MANY) for one in np.split(quality, 40)]))


def _score(
    generator: np.random.Generator, quality: NDArray[np.float64], positives: int, negatives: int
) -> NDArray[np.float64]:
    """ROC-AUC of each model on the patients of its cohort.

    Args:
        generator: Of the patients and the models.
        quality: (cohorts, seeds).
        positives: Positive patients of each cohort.
        negatives: Negative patients of each cohort.

    Returns:
        (cohorts, seeds).
    """
    cohorts, seeds = quality.shape
    model = (quality[..., None, None], np.exp(generator.normal(0, 0.5, (cohorts, seeds, 1, 1))))
    offset = generator.normal(0, 1.5, (cohorts, seeds, 1, 1))

    def draw(count: int, label: int) -> NDArray[np.float64]:
        effect = generator.normal(0, PATIENT, (cohorts, 1, count, 1))
        effect = effect + generator.normal(0, NOISE, (cohorts, 1, count, IMAGES[label]))
        effect = effect + generator.normal(0, RESPONSE, (cohorts, seeds, count, IMAGES[label]))
        return expit(model[1] * model[0] * (model[0] * (label - 0.5) + effect) + offset).mean(axis=-1)

    positive, negative = draw(positives, 1)[..., :, None], draw(negatives, 0)[..., None, :]
    return ((positive > negative) + 0.5 * (positive == negative)).mean(axis=(-2, -1))


def main() -> None:
    """Print a line for each number of patients, separation, training and number of seeds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=1500)
    cohorts = parser.parse_args().cohorts
    start = time.process_time()
    heads = (
        "patients", "training", "true AUC", "seeds", "interval of the trained models, seed 0", "mean width",
        "interval of a model trained so", "mean width",
    )  # fmt: skip
    print_head(heads)
    for patients in (60, 200):
        for name, training in (("stable", STABLE), ("unstable", UNSTABLE), ("seed in common", COMMON)):
            for separation in (1.5, 2.3):
                for seeds in (3, 5):
                    found = measure_coverage(patients, separation, training, seeds, cohorts)
                    print(
                        f"| {patients} | {name} | {found['true']:.3f} | {seeds} | {found['models']:.1%} "
                        f"| {found['models_width']:.3f} | {found['such']:.1%} | {found['such_width']:.3f} |",
                        flush=True,
                    )
    print_precision(cohorts, start)


if __name__ == "__main__":
    main()
