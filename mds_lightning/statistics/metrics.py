"""Every metric of a sample, each named with what it is of, as a function of the patients' weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.confusion import count_confusion, measure_confusion, weigh_confusion
from mds_lightning.statistics.ranking import Ranking
from mds_lightning.statistics.sample import Sample


class Measure(NamedTuple):
    """A metric and what it is of: a class, `macro` (unweighted mean over classes) or `overall`."""

    metric: str
    of: str


#: Metrics of the scores' order rather than of decisions.
_RANKED = ("roc_auc", "average_precision", "roc_auc_within_folds")


@dataclass(frozen=True)
class Metrics:
    """The metrics of one sample; call it with weights.

    Two classes: ROC-AUC and average precision of the positive class. More: one against the rest for each
    class, and their macro average. The rows of all folds are pooled; `WithinFolds` compares within folds.
    """

    sample: Sample
    confusion: NDArray[np.float64]
    rankings: Mapping[str, Ranking]

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Count and sort once."""
        everything = np.ones(len(sample.target), bool)
        names = {sample.classes[k]: k for k in sample.scored_classes}
        return cls(
            sample,
            count_confusion(sample),
            {name: rank_class(sample, k, everything) for name, k in names.items()},
        )

    def __call__(self, weights: NDArray[np.float64]) -> dict[Measure, NDArray[np.float64]]:
        """Every metric (resamples,) for each row of `weights` (resamples, patients); NaN if undefined."""
        matrices = weigh_confusion(self.confusion, weights)
        measures = {
            Measure(*key): values for key, values in measure_confusion(matrices, self.sample.classes).items()
        }
        for name, ranking in self.rankings.items():
            measures[Measure("roc_auc", name)], measures[Measure("average_precision", name)] = (
                ranking.measure(weights)
            )
        if len(self.rankings) > 1:
            for metric in ("roc_auc", "average_precision"):
                parts = [measures[Measure(metric, name)] for name in self.rankings]
                measures[Measure(metric, "macro")] = np.mean(parts, axis=0)
        return measures

    def point(self) -> dict[Measure, float]:
        """Every metric with each patient counted once."""
        values = self(np.ones((1, self.sample.n_patients)))
        return {measure: float(value[0]) for measure, value in values.items()}


def rank_class(sample: Sample, k: int, rows: NDArray[np.bool_]) -> Ranking:
    """Sort the chosen rows by the probability of class `k`."""
    return Ranking.of(sample.target[rows] == k, sample.probabilities[rows, k], sample.patient[rows])


def explain_undefined(measure: Measure, sample: Sample) -> str:
    """Why the metric has no value on this sample, for people."""
    present, decided = np.unique(sample.target), np.unique(sample.decided)
    absent = ", ".join(name for k, name in enumerate(sample.classes) if k not in present)
    if measure.metric in ("recall", "balanced_accuracy", *_RANKED):
        return f"no row is {absent}" if absent else "no fold holds rows of both sides"
    if measure.metric == "specificity":
        return f"every row is {measure.of}"
    if measure.metric == "mcc":
        return "all rows are of one class" if len(present) == 1 else "all rows are decided for one class"
    never = ", ".join(name for k, name in enumerate(sample.classes) if k not in decided)
    if measure.metric == "f1":
        return f"{absent}: no row is, and none is decided so"
    return f"no row is decided to be {never}"
