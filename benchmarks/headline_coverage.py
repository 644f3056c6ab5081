"""Coverage of Newcombe's interval of the patients' ROC-AUC within folds of five models.

    python -m benchmarks.headline_coverage                # 1,500 cohorts per setting
    python -m benchmarks.headline_coverage --cohorts 200

Positive patients have four images and negative ones a single image. An image's score is the class's shift
plus an effect of the patient plus noise; each of the five models has its own quality, slope and offset, and a
patient's score is the mean probability of the images. The true value is that of these five models: the mean,
weighted by the folds' pairs, of their ROC-AUC on 400 further patients of each class.
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.simulation_table import print_head, print_precision
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.ranking import Ranking

FOLDS, IMAGES = 5, {1: 4, 0: 1}
#: Standard deviations of a patient's effect and of an image's noise.
PATIENT, NOISE = 0.8, 0.6
#: Patients of each class from which a model's true ROC-AUC is computed.
MANY = 400


def measure_coverage(patients: int, separation: float, cohorts: int, seed: int = 0) -> dict[str, float]:
    """Coverage and mean width of the interval, the mean true value, and the fractions missed on either side.

    Args:
        patients: Half of them are positive.
        separation: Median of the models' qualities: distance of the classes' means.
        cohorts: Number of simulated cohorts.
        seed: Of the simulation.
    """
    rows = []
    sizes = [np.bincount(np.arange(count) % FOLDS) for count in (patients // 2, patients - patients // 2)]
    positives, negatives = (size.tolist() for size in sizes)
    weights = sizes[0] * sizes[1] / (sizes[0] * sizes[1]).sum()
    for cohort in range(cohorts):
        generator = np.random.default_rng([seed, patients, cohort])
        quality = separation * np.exp(generator.normal(0, 0.15, FOLDS))
        slope, offset = np.exp(generator.normal(0, 0.5, FOLDS)), generator.normal(0, 1.5, FOLDS)
        found, true = np.zeros(FOLDS), np.zeros(FOLDS)
        for k in range(FOLDS):
            model = (quality[k], slope[k], offset[k])
            found[k] = _score(generator, model, positives[k], negatives[k])
            true[k] = _score(generator, model, MANY, MANY)
        value, truth = float(found @ weights), float(true @ weights)
        interval = newcombe_interval(value, positives, negatives)
        rows.append((truth, interval.high - interval.low, truth < interval.low, truth > interval.high))
    mean = np.array(rows, float).mean(axis=0)
    return {
        "true": mean[0],
        "coverage": 1 - mean[2] - mean[3],
        "width": mean[1],
        "below": mean[2],
        "above": mean[3],
    }


def _score(
    generator: np.random.Generator, model: tuple[float, float, float], positives: int, negatives: int
) -> float:
    """ROC-AUC of one model on new patients."""
    quality, slope, offset = model

    def draw(count: int, label: int) -> NDArray[np.float64]:
        effect = generator.normal(0, PATIENT, (count, 1)) + generator.normal(0, NOISE, (count, IMAGES[label]))
        return expit(slope * quality * (quality * (label - 0.5) + effect) + offset).mean(axis=1)

    scores = np.concatenate([draw(positives, 1), draw(negatives, 0)])
    is_positive = np.arange(len(scores)) < positives
    correct, total = Ranking.of(is_positive, scores, np.arange(len(scores))).pairs(np.ones((1, len(scores))))
    return float(correct[0] / total[0])


def main() -> None:
    """Print a line for each number of patients and separation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=1500)
    arguments = parser.parse_args()
    start = time.process_time()
    heads = ("patients", "mean true AUC", "coverage", "mean width", "true value below", "above")
    print_head(heads)
    for patients in (60, 200):
        for separation in (1.5, 2.3, 3.2):
            found = measure_coverage(patients, separation, arguments.cohorts)
            print(
                f"| {patients} | {found['true']:.3f} | {found['coverage']:.1%} | {found['width']:.3f} "
                f"| {found['below']:.1%} | {found['above']:.1%} |",
                flush=True,
            )
    print_precision(arguments.cohorts, start)


if __name__ == "__main__":
    main()
