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
    class, and their macro average. `roc_auc_within_folds` compares the scores of one fold's model with one
    another only: pooling mixes the scales of several models, which the pooled ROC-AUC pays for. It is left
    out for a single model.
    """

    sample: Sample
    confusion: NDArray[np.float64]
    rankings: Mapping[str, Ranking]
    fold_rankings: Mapping[str, tuple[Ranking, ...]]

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Count and sort once."""
        numbers = np.unique(sample.fold)
        folds = [sample.fold == fold for fold in numbers] if len(numbers) > 1 else []
        everything = np.ones(len(sample.target), bool)
        names = {sample.classes[k]: k for k in sample.scored_classes}
        return cls(
            sample,
            count_confusion(sample),
            {name: rank_class(sample, k, everything) for name, k in names.items()},
            {name: tuple(rank_class(sample, k, rows) for rows in folds) for name, k in names.items()},
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
            if self.fold_rankings[name]:
                measures[Measure("roc_auc_within_folds", name)] = _stratify(self.fold_rankings[name], weights)
        if len(self.rankings) > 1:
            for metric in dict.fromkeys(m.metric for m in measures if m.metric in _RANKED):
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


def _stratify(rankings: tuple[Ranking, ...], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """ROC-AUC over the pairs within each ranking."""
    parts = [ranking.pairs(weights) for ranking in rankings]
    won, total = sum(part[0] for part in parts), sum(part[1] for part in parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(won / total)


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
