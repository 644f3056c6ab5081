"""Every metric with its interval: this project, scikit-learn in a loop, and the `confidenceinterval` package.

    python benchmarks/intervals.py       # about three minutes on one core

10,000 resamples of 2,000 patients with 4 images. The peers are timed on fewer resamples and scaled up; the
package has no patients, so it resamples images. It is not a dependency of this project:
`pip install --no-deps confidenceinterval`.
"""

import argparse
import importlib.util
import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from sklearn import metrics as sk

from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.sample_metrics import SampleMetrics

FOLDS = 5


def draw_sample(patients: int, images: int, seed: int = 0) -> Sample:
    """Patients of two classes whose images are correlated."""
    generator = np.random.default_rng(seed)
    label = np.arange(patients) % 2
    patient = np.repeat(np.arange(patients), images)
    score = (
        label[patient] * 1.5 + generator.normal(size=patients)[patient] + generator.normal(size=len(patient))
    )
    chance = 1 / (1 + np.exp(0.75 - score))
    return Sample(
        ("donor", "MDS"),
        label[patient],
        np.stack([1 - chance, chance], axis=1),
        patient,
        label,
        patient // 2 % FOLDS,
    )


def ours(sample: Sample, n_resamples: int) -> int:
    """Percentile and BCa intervals of every metric; returns how many metrics there are."""
    results = [
        bootstrap(SampleMetrics.of(sample), sample.patient_class, n_resamples),
        bootstrap(SampleMetrics.within_folds(sample), sample.strata_by_fold(), n_resamples),
    ]
    for result in results:
        for measure in result.point:
            result.percentile(measure)
            result.bca(measure)
    return sum(len(result.point) for result in results)


def loop(sample: Sample, n_resamples: int) -> int:
    """The same metrics of the same kind of resamples, one after the other, with scikit-learn."""
    generator = np.random.default_rng(0)
    rows_of = np.argsort(sample.patient, kind="stable").reshape(sample.n_patients, -1)
    members = [np.flatnonzero(sample.patient_class == k) for k in range(2)]
    draws: list[list[float]] = []
    for _ in range(n_resamples):
        drawn = np.concatenate([generator.choice(group, len(group)) for group in members])
        rows = rows_of[drawn].ravel()
        draws.append(all_by_sklearn(sample.target[rows], sample.probabilities[rows, 1], sample.fold[rows]))
    np.percentile(np.array(draws), [2.5, 97.5], axis=0)
    return len(draws[0])


def all_by_sklearn(y: np.ndarray, score: np.ndarray, fold: np.ndarray) -> list[float]:
    """Every metric of `SampleMetrics`, by scikit-learn."""
    predicted = (score > 0.5).astype(int)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(y, predicted, zero_division=np.nan)
    within = [
        (
            sk.roc_auc_score(y[fold == k], score[fold == k]),
            (y[fold == k] == 1).sum() * (y[fold == k] == 0).sum(),
        )
        for k in np.unique(fold)
    ]
    return [
        sk.accuracy_score(y, predicted),
        sk.balanced_accuracy_score(y, predicted),
        sk.matthews_corrcoef(y, predicted),
        *precision,
        *recall,
        *recall[::-1],  # specificity of either class
        *f1,
        precision.mean(),
        f1.mean(),
        sk.roc_auc_score(y, score),
        sk.average_precision_score(y, score),
        sum(auc * pairs for auc, pairs in within) / sum(pairs for _, pairs in within),
    ]


def package(sample: Sample, n_resamples: int) -> int:
    """What the `confidenceinterval` package offers, by its percentile bootstrap over images."""
    import confidenceinterval as ci

    y, score = sample.target, sample.probabilities[:, 1]
    predicted = (score > 0.5).astype(int)
    names = ("accuracy_score", "ppv_score", "npv_score", "tpr_score", "tnr_score")
    for name in names:
        getattr(ci, name)(y, predicted, method="bootstrap_percentile", n_resamples=n_resamples)
    for name in ("precision_score", "recall_score", "f1_score"):
        getattr(ci, name)(
            y, predicted, average="macro", method="bootstrap_percentile", n_resamples=n_resamples
        )
    ci.roc_auc_score(y, score, method="bootstrap_percentile", n_resamples=n_resamples)
    return len(names) + 4


def clock(
    run: Callable[[Sample, int], int], sample: Sample, n_resamples: int, n_timed: int
) -> tuple[float, int]:
    """CPU seconds for `n_resamples`, scaled from `n_timed`, and the number of metrics."""
    start = time.process_time()
    count = run(sample, n_timed)
    return (time.process_time() - start) * n_resamples / n_timed, count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--peer-resamples", type=int, default=100)
    arguments = parser.parse_args()
    sample = draw_sample(arguments.patients, arguments.images)
    runs = [("mds_lightning, percentile and BCa", ours, arguments.resamples)]
    runs.append(("scikit-learn in a loop, percentile", loop, arguments.peer_resamples))
    if importlib.util.find_spec("confidenceinterval") is not None:
        runs.append(("confidenceinterval 1.0.5, percentile over images", package, arguments.peer_resamples))
    ours(sample, 64)  # the first call also imports
    what = f"{arguments.resamples} resamples of {arguments.patients} patients x {arguments.images} images"
    print(f"{what}, one core\n")
    print("| | metrics | timed resamples | CPU s in total | s per metric | ratio to ours |")
    print("|---|---|---|---|---|---|")
    base = 0.0
    for name, run, timed in runs:
        seconds, count = clock(run, sample, arguments.resamples, timed)
        each = seconds / count
        base = base or each
        print(f"| {name} | {count} | {timed} | {seconds:.2f} | {each:.3f} | {each / base:.0f} |")


if __name__ == "__main__":
    main()
