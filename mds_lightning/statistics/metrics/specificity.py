"""Specificity: the fraction of the other classes' rows that are not predicted as a class."""

from mds_lightning.statistics.metric import ClassValues, Metric, by_class, wilson_of_patients
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_specificity(weighted: WeightedSample) -> ClassValues:
    """Of each class."""
    confusion = weighted.confusion
    others = confusion.total[:, None] - confusion.actual
    return by_class(weighted.sample, (others - (confusion.predicted - confusion.correct)) / others)


def count_trials(weighted: WeightedSample, class_name: str) -> tuple[float, float]:
    """Rows of the other classes that are not predicted as the class, and all rows of the other classes."""
    confusion, k = weighted.confusion, weighted.sample.classes.index(class_name)
    others = float(confusion.total[0]) - float(confusion.actual[0, k])
    return others - float(confusion.predicted[0, k] - confusion.correct[0, k]), others


def explain_undefined(_sample: Sample, class_name: str) -> str:
    """Without rows of other classes."""
    return f"every row is {class_name}"


METRIC = Metric(
    name="specificity",
    label="Specificity",
    compute=compute_specificity,
    explain_undefined=explain_undefined,
    intervals=wilson_of_patients(count_trials),
    position=60,
    at_operating_points=True,
    for_mixed_sources="two classes",
)
