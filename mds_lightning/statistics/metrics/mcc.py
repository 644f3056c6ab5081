"""Matthews correlation coefficient, the multi-class one of Gorodkin, Comput Biol Chem 28 (2004) 367."""

import numpy as np

from mds_lightning.statistics.metric import ClassValues, Metric
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_mcc(weighted: WeightedSample) -> ClassValues:
    """Overall."""
    confusion = weighted.confusion
    actual, predicted, total = confusion.actual, confusion.predicted, confusion.total
    covariance = confusion.correct.sum(axis=1) * total - (actual * predicted).sum(axis=1)
    variances = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    return {"overall": covariance / np.sqrt(variances)}


def explain_undefined(sample: Sample, _class_name: str) -> str:
    """Where all rows are of one class, or predicted as one class."""
    if len(np.unique(sample.target)) == 1:
        return "all rows are of one class"
    return "all rows are predicted as one class"


METRIC = Metric(
    name="mcc",
    label="MCC",
    compute=compute_mcc,
    explain_undefined=explain_undefined,
    position=100,
)
