"""ROC-AUC: the fraction of pairs of rows that the scores rank correctly, ties counting half.

The rows of all folds are pooled; `roc_auc_within_folds` compares within folds.
"""

import numpy as np
import pandas as pd

from mds_lightning.statistics.intervals.delong import interval_of_auc
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.metric import ClassValues, Level, Metric, list_absent, with_macro
from mds_lightning.statistics.predictions import check_predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import PreparedSample, WeightedSample


def compute_roc_auc(weighted: WeightedSample) -> ClassValues:
    """Of the positive class of two; of more, one against the rest for each class, and their mean."""
    return with_macro({name: values for name, (values, _) in weighted.ranked.items()})


def score_auroc(table: pd.DataFrame) -> float:
    """ROC-AUC of rows of images: of the positive class, or macro one-vs-rest; NaN if undefined.

    Args:
        table: Rows as `read_predictions` gives them, of one split.
    """
    predictions = check_predictions(table, "rows")
    values = compute_roc_auc(PreparedSample(Sample.of(predictions)).unweighted)
    return float(values[predictions.classes[1] if predictions.is_binary else "macro"][0])


def list_intervals(
    weighted: WeightedSample, class_name: str, level: Level, confidence: float
) -> list[Interval]:
    """DeLong's for each class; of patients, which are independent, also Newcombe's."""
    if class_name == "macro":
        return []
    sample, (values, _) = weighted.sample, weighted.ranked[class_name]
    k = sample.classes.index(class_name)
    positive = sample.target == k
    intervals = [interval_of_auc(positive, sample.probabilities[:, k], sample.patient, confidence)]
    if level == "patient" and np.isfinite(values[0]):
        sizes = int(positive.sum()), int((~positive).sum())
        intervals.append(newcombe_interval(float(values[0]), *sizes, confidence))
    return intervals


def explain_undefined(sample: Sample, _class_name: str) -> str:
    """Without rows of the class or of the others."""
    return f"no row is {list_absent(sample)}"


METRIC = Metric(
    name="roc_auc",
    label="ROC-AUC",
    compute=compute_roc_auc,
    explain_undefined=explain_undefined,
    intervals=list_intervals,
    position=10,
    on_screen=True,
    from_ranking=True,
    for_mixed_sources="two classes",
)
