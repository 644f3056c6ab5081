"""Balanced accuracy: the unweighted mean of recall over the classes."""

from mds_lightning.statistics.metric import ClassValues, Metric, list_absent
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_balanced_accuracy(weighted: WeightedSample) -> ClassValues:
    """Overall."""
    return {"overall": (weighted.confusion.correct / weighted.confusion.actual).mean(axis=1)}


def explain_undefined(sample: Sample, _class_name: str) -> str:
    """Without rows of some class."""
    return f"no row is {list_absent(sample)}"


METRIC = Metric(
    name="balanced_accuracy",
    label="Balanced accuracy",
    compute=compute_balanced_accuracy,
    explain_undefined=explain_undefined,
    position=90,
    at_operating_points=True,
)
