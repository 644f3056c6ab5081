"""ROC-AUC over pairs within a fold: scores of one model are compared with one another only.

Pooling mixes the scales of several models, which lowers the pooled ROC-AUC. Here every positive row is
compared with the negative rows of its own fold, and all such pairs count alike. Resamples are drawn within
folds (`Sample.strata_by_fold`), because the folds' sizes are part of the design.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.metric import ClassValues, Level, Metric, list_absent, with_macro
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.ranking import Ranking
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import PreparedSample, WeightedSample


def compute_within_folds(weighted: WeightedSample) -> ClassValues:
    """Of the positive class of two; of more, one against the rest for each class, and their mean."""
    by_fold = weighted.prepared.rankings_by_fold
    return with_macro({name: _pool(folds, weighted.weights) for name, folds in by_fold.items()})


def score_within_folds(predictions: Predictions) -> float:
    """ROC-AUC within folds: of the positive class, or macro one-vs-rest; NaN if undefined.

    Args:
        predictions: Rows of one level and one split.
    """
    with np.errstate(invalid="ignore"):
        values = compute_within_folds(PreparedSample(Sample.of(predictions)).unweighted)
    return float(values[predictions.classes[1] if predictions.is_binary else "macro"][0])


def list_intervals(
    weighted: WeightedSample, class_name: str, level: Level, confidence: float
) -> list[Interval]:
    """Newcombe's with the sizes of the folds, of patients, which are independent."""
    if level != "patient" or class_name == "macro":
        return []
    with np.errstate(invalid="ignore"):
        sample, value = weighted.sample, float(compute_within_folds(weighted)[class_name][0])
    if not np.isfinite(value):
        return []
    positives, negatives = count_by_fold(sample, sample.classes.index(class_name))
    return [newcombe_interval(value, positives, negatives, confidence)]


def count_by_fold(sample: Sample, k: int) -> tuple[list[int], list[int]]:
    """Number of rows of class `k` and of the other rows in each fold."""
    positive = sample.target == k
    folds = np.unique(sample.fold, return_inverse=True)[1]
    positives, negatives = (np.bincount(folds, side).astype(int).tolist() for side in (positive, ~positive))
    return positives, negatives


def explain_undefined(sample: Sample, class_name: str) -> str:
    """Where no fold has a pair."""
    absent = list_absent(sample)
    if absent:
        return f"no row is {absent}"
    which = "some class" if class_name == "macro" else class_name
    return f"no fold holds both rows of {which} and rows of other classes"


def _pool(folds: Sequence[Ranking], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    pairs = [ranking.pairs(weights) for ranking in folds]
    correct, total = sum(one[0] for one in pairs), sum(one[1] for one in pairs)
    return np.asarray(correct / total)


METRIC = Metric(
    name="roc_auc_within_folds",
    label="ROC-AUC within folds",
    compute=compute_within_folds,
    explain_undefined=explain_undefined,
    intervals=list_intervals,
    position=20,
    on_screen=True,
    within_folds=True,
)
