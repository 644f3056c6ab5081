"""Coverage of 95% intervals: 1,000 cohorts of 60 patients with 4 similar images each.

    python benchmarks/coverage.py            # 1,000 cohorts, minutes on one core
    python benchmarks/coverage.py --cohorts 100

A score is the class's shift plus an effect of the patient plus noise of the image, so the true ROC-AUC and
accuracy are known in closed form. There is one fixed scorer: the intervals describe sampling of patients, not
training.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.special import ndtr, ndtri

from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.intervals.delong import interval_of_auc
from mds_lightning.statistics.intervals.fold_spread import interval_over_folds
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.intervals.wilson import wilson_interval
from mds_lightning.statistics.metric import Measure
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.sample_metrics import SampleMetrics

PATIENTS, IMAGES, FOLDS = 60, 4, 5
#: Fraction of a score's variance (within a class) that is common to a patient's images.
WITHIN_PATIENT = 0.7
AUC, ACCURACY = Measure("roc_auc", "MDS"), Measure("accuracy", "overall")
RECALL = Measure("recall", "MDS")
WITHIN = Measure("roc_auc_within_folds", "MDS")


@dataclass(frozen=True)
class Truth:
    """The true values.

    Attributes:
        shift: Distance of the classes' mean scores, in standard deviations of an image's score.
    """

    shift: float

    @classmethod
    def with_auc(cls, auc: float) -> "Truth":
        """From the ROC-AUC of images."""
        return cls(float(ndtri(auc)) * 2**0.5)

    def auc(self, images: int) -> float:
        """ROC-AUC of the mean score of `images` images of a patient."""
        return float(ndtr(self.shift / (2 * (WITHIN_PATIENT + (1 - WITHIN_PATIENT) / images)) ** 0.5))

    def accuracy(self, images: int) -> float:
        """Accuracy of a threshold half-way between the classes."""
        return float(ndtr(self.shift / 2 / (WITHIN_PATIENT + (1 - WITHIN_PATIENT) / images) ** 0.5))


def draw_sample(truth: Truth, generator: np.random.Generator, images: int) -> Sample:
    """One cohort: half of the patients of each class, stratified folds."""
    patient = np.repeat(np.arange(PATIENTS), images)
    label = np.arange(PATIENTS) % 2
    effect, noise = generator.normal(size=PATIENTS), generator.normal(size=len(patient))
    score = (
        truth.shift * (label[patient] - 0.5)
        + WITHIN_PATIENT**0.5 * effect[patient]
        + (1 - WITHIN_PATIENT) ** 0.5 * noise
    )
    chance = ndtr(score)
    fold = patient // 2 % FOLDS
    return Sample(
        ("donor", "MDS"), label[patient], np.stack([1 - chance, chance], axis=1), patient, label, fold
    )


def average_images(sample: Sample) -> Sample:
    """One row a patient: the mean score of the images, so that the true values stay known."""
    score = np.bincount(sample.patient, ndtri(sample.probabilities[:, 1])) / np.bincount(sample.patient)
    chance, patient = ndtr(score), np.arange(PATIENTS)
    return Sample(
        sample.classes,
        sample.patient_class,
        np.stack([1 - chance, chance], axis=1),
        patient,
        sample.patient_class,
        patient // 2 % FOLDS,
    )


def all_intervals(
    images: Sample, truth: Truth, n_resamples: int, seed: int
) -> Iterator[tuple[str, Interval, float]]:
    """(name, interval, true value) of every kind of interval in one cohort."""
    for level, sample, count in (("image", images, 1), ("patient", average_images(images), IMAGES)):
        metrics = SampleMetrics.of(sample)
        result = bootstrap(metrics, sample.patient_class, n_resamples, seed)
        auc, accuracy = truth.auc(count), truth.accuracy(count)
        within = bootstrap(SampleMetrics.within_folds(sample), sample.strata_by_fold(), n_resamples, seed)
        for name, resampled, measure, value in (
            ("AUC", result, AUC, auc),
            ("AUC within folds", within, WITHIN, auc),
            ("accuracy", result, ACCURACY, accuracy),
            ("recall", result, RECALL, accuracy),
        ):
            yield f"{level} {name}, bootstrap over patients, percentile", resampled.percentile(measure), value
            yield f"{level} {name}, bootstrap over patients, BCa", resampled.bca(measure), value
        positive, score = sample.target == 1, sample.probabilities[:, 1]
        yield (
            f"{level} AUC, DeLong by patient (Obuchowski)",
            interval_of_auc(positive, score, sample.patient),
            auc,
        )
        folds = [SampleMetrics.of(sample.where(sample.fold == k)).point()[AUC] for k in range(FOLDS)]
        yield f"{level} AUC, Student t over folds", interval_over_folds(np.array(folds)), auc
        correct = sample.predicted == sample.target
        yield f"{level} accuracy, Wilson", wilson_interval(float(correct.sum()), len(correct)), accuracy
        yield (
            f"{level} recall, Wilson",
            wilson_interval(float(correct[positive].sum()), positive.sum()),
            accuracy,
        )
        if level == "patient":
            newcombe = newcombe_interval(result.point[AUC], int(positive.sum()), int((~positive).sum()))
            yield "patient AUC, Newcombe", newcombe, auc
            bca = result.bca(AUC)
            shown = bca if bca.high > bca.low else newcombe
            yield "patient AUC, as reported: BCa, Newcombe if all patients are ranked correctly", shown, auc
    rows = np.arange(len(images.target))
    naive = Sample(images.classes, images.target, images.probabilities, rows, images.target, images.fold)
    result = bootstrap(SampleMetrics.of(naive), naive.patient_class, n_resamples, seed, jackknife=False)
    yield "image AUC, bootstrap over images", result.percentile(AUC), truth.auc(1)
    yield "image accuracy, bootstrap over images", result.percentile(ACCURACY), truth.accuracy(1)
    score = images.probabilities[:, 1]
    yield (
        "image AUC, DeLong as if images were patients",
        interval_of_auc(images.target == 1, score, rows),
        truth.auc(1),
    )


def measure_coverage(
    auc: float, cohorts: int, n_resamples: int, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Name to (fraction of cohorts whose interval contains the true value, mean width).

    An undefined interval does not contain it.
    """
    truth = Truth.with_auc(auc)
    contained: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    for cohort in range(cohorts):
        generator = np.random.default_rng([seed, cohort])
        for name, interval, value in all_intervals(
            draw_sample(truth, generator, IMAGES), truth, n_resamples, cohort
        ):
            contained.setdefault(name, []).append(interval.low <= value <= interval.high)
            widths.setdefault(name, []).append(interval.high - interval.low)
    return {name: (float(np.mean(contained[name])), float(np.nanmean(widths[name]))) for name in contained}


def main() -> None:
    """Print a table for each true ROC-AUC."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--aucs", type=float, nargs="+", default=[0.7, 0.85, 0.95, 0.99])
    arguments = parser.parse_args()
    for auc in arguments.aucs:
        start = time.process_time()
        found = measure_coverage(auc, arguments.cohorts, arguments.resamples)
        error = (0.95 * 0.05 / arguments.cohorts) ** 0.5
        print(
            f"\ntrue image AUC {auc}: {arguments.cohorts} cohorts of {PATIENTS} patients x {IMAGES} images, "
            f"{WITHIN_PATIENT:.0%} of a score's variance common to a patient's images; "
            f"standard error of a coverage {error:.1%}; {time.process_time() - start:.0f} s\n"
        )
        print("| interval (nominal 95%) | coverage | mean width |\n|---|---|---|")
        for name, (coverage, width) in found.items():
            print(f"| {name} | {coverage:.1%} | {width:.3f} |")


if __name__ == "__main__":
    main()
