"""Variance of the ROC-AUC within folds over patients, folds and seeds, and its interval with all three.

The interval of the trained models leaves out that another training gives other models. With several seeds the
variance of training is estimated and added. The interval is then of the expected ROC-AUC within folds of a
model that is trained in the same way: with the same settings, another cohort of the same kind and size, and
another seed.
`benchmarks/seed_coverage.py` measures its coverage.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval, variance_of_auc
from mds_lightning.statistics.metrics.roc_auc_within_folds import count_by_fold
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import measure_auc


@dataclass(frozen=True)
class TrainingVariance:
    """ROC-AUC within folds over several seeds, and the components of its variance.

    Attributes:
        value: Mean over the seeds of the ROC-AUC within folds.
        by_seed: (seeds,) ROC-AUC within folds of each seed.
        patients: Variance of `value` from the choice of the test patients (Hanley and McNeil).
        folds: Variance of `value` from the training patients, by which the folds' models differ.
        seeds: Variance of `value` from the seeds: initial weights, order and augmentation of the images.
        positives: (folds,) number of positive patients.
        negatives: (folds,) number of negative patients.
    """

    value: float
    by_seed: NDArray[np.float64]
    patients: float
    folds: float
    seeds: float
    positives: NDArray[np.int64]
    negatives: NDArray[np.int64]

    @classmethod
    def of(
        cls, aucs: NDArray[np.float64], positives: NDArray[np.int64], negatives: NDArray[np.int64]
    ) -> Self:
        """Split the variance.

        The variance over seeds is estimated in two ways: from the seeds' values in each fold, as if seeds
        were independent between folds, and from the seeds' values over all folds, which includes what a seed
        has in common in all folds (its initial weights). The second has few degrees of freedom. The larger
        one is used. The variance over folds is what remains of the variance of the folds' means after those
        of patients and seeds are subtracted, or 0.

        Args:
            aucs: (seeds, folds) ROC-AUC of each fold's model, 0..1; at least two seeds.
            positives: (folds,) number of positive patients, above 0.
            negatives: (folds,) number of negative patients, above 0.
        """
        n_seeds, n_folds = aucs.shape
        weights = positives * negatives / (positives * negatives).sum()
        by_seed = aucs @ weights
        value = float(by_seed.mean())
        of_patients = variance_of_auc(value, positives.astype(float), negatives.astype(float))
        squares = float((weights**2).sum())
        within = float(aucs.var(axis=0, ddof=1).mean())
        seeds = max(squares * within, float(by_seed.var(ddof=1))) / n_seeds
        between = float(aucs.mean(axis=0).var(ddof=1)) if n_folds > 1 else 0.0
        folds = squares * max(between - float(of_patients.mean()) - within / n_seeds, 0.0)
        patients = float((weights**2 * of_patients).sum())
        return cls(value, by_seed, patients, folds, seeds, positives, negatives)

    def interval(self, confidence: float = 0.95) -> Interval:
        """Newcombe's interval with the variances over folds and seeds added."""
        return newcombe_interval(
            self.value,
            self.positives.tolist(),
            self.negatives.tolist(),
            confidence,
            training_variance=self.folds + self.seeds,
        )


def measure_training_variance(by_seed: Mapping[int, Predictions]) -> dict[str, TrainingVariance]:
    """The variance of each scored class: the positive one of two; of more, each against the others.

    Args:
        by_seed: Seed to held-out rows, one per patient; the same patients in the same folds for all, and at
            least two seeds.

    Returns:
        Class to its variance; without the classes of which no fold has a pair of patients.
    """
    samples = [Sample.of(rows) for rows in by_seed.values()]
    first, found = samples[0], {}
    for k in first.scored_classes:
        positives, negatives = (np.array(sizes) for sizes in count_by_fold(first, k))
        paired = positives * negatives > 0
        folds = np.unique(first.fold)[paired]
        if len(folds):
            aucs = np.array([[measure_auc(one, k, int(fold)) for fold in folds] for one in samples])
            found[first.classes[k]] = TrainingVariance.of(aucs, positives[paired], negatives[paired])
    return found
