"""A sample under many weightings of its patients: what every metric is computed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.confusion import ConfusionMatrices, count_confusion
from mds_lightning.statistics.ranking import Ranking
from mds_lightning.statistics.sample import Sample


@dataclass(frozen=True)
class PreparedSample:
    """A sample whose rows are counted and sorted once, so that weighting its patients is cheap.

    Attributes:
        sample: Rows of images or patients.
    """

    sample: Sample

    def weigh(self, weights: NDArray[np.float64]) -> "WeightedSample":
        """The sample under each row of `weights`, (resamples, patients) float64."""
        return WeightedSample(self, weights)

    @cached_property
    def unweighted(self) -> "WeightedSample":
        """The sample with each patient counted once: a single resample."""
        return self.weigh(np.ones((1, self.sample.n_patients)))

    @cached_property
    def confusion_counts(self) -> NDArray[np.float64]:
        """(patients, classes, classes): rows of each patient by true and predicted class."""
        return count_confusion(self.sample)

    @cached_property
    def rankings(self) -> Mapping[str, Ranking]:
        """Each scored class to its rows sorted by the probability of that class."""
        everything = np.ones(len(self.sample.target), bool)
        return {
            self.sample.classes[k]: rank_class(self.sample, k, everything) for k in self.sample.scored_classes
        }

    @cached_property
    def rankings_by_fold(self) -> Mapping[str, tuple[Ranking, ...]]:
        """Each scored class to one ranking per fold."""
        sample = self.sample
        folds = [sample.fold == fold for fold in np.unique(sample.fold)]
        return {
            sample.classes[k]: tuple(rank_class(sample, k, rows) for rows in folds)
            for k in sample.scored_classes
        }


@dataclass(frozen=True)
class WeightedSample:
    """A sample under several weightings of its patients. Metrics share the intermediate results.

    Attributes:
        prepared: The sample, counted and sorted.
        weights: (resamples, patients) how often each patient counts, float64.
    """

    prepared: PreparedSample
    weights: NDArray[np.float64]

    @property
    def sample(self) -> Sample:
        """Rows of images or patients."""
        return self.prepared.sample

    @cached_property
    def confusion(self) -> ConfusionMatrices:
        """One confusion matrix for each weighting."""
        return ConfusionMatrices.of(self.prepared.confusion_counts, self.weights)

    @cached_property
    def ranked(self) -> Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Each scored class to its ROC-AUC and its average precision, both (resamples,)."""
        return {name: ranking.measure(self.weights) for name, ranking in self.prepared.rankings.items()}


def rank_class(sample: Sample, k: int, rows: NDArray[np.bool_]) -> Ranking:
    """Sort the chosen rows by the probability of class `k`."""
    return Ranking.of(sample.target[rows] == k, sample.probabilities[rows, k], sample.patient[rows])


def measure_auc(sample: Sample, k: int, fold: int) -> float:
    """ROC-AUC of class `k` against the others in the rows of one fold, which hold both."""
    ranking = rank_class(sample, k, sample.fold == fold)
    correct, total = ranking.pairs(np.ones((1, sample.n_patients)))
    return float(correct[0] / total[0])
