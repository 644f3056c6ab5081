"""Recall: the fraction of a class's rows that are predicted as that class.

That of the positive class is the sensitivity. Its mean over the classes is `balanced_accuracy`.
"""

from mds_lightning.statistics.metric import ClassValues, Metric, by_class, wilson_of_patients
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_recall(weighted: WeightedSample) -> ClassValues:
    """Of each class."""
    return by_class(weighted.sample, weighted.confusion.correct / weighted.confusion.actual)


def count_trials(weighted: WeightedSample, class_name: str) -> tuple[float, float]:
    """Correct rows and all rows of the class."""
    k = weighted.sample.classes.index(class_name)
    return float(weighted.confusion.correct[0, k]), float(weighted.confusion.actual[0, k])


def explain_undefined(_sample: Sample, class_name: str) -> str:
    """Without rows of the class."""
    return f"no row is {class_name}"


METRIC = Metric(
    name="recall",
    label="Recall",
    compute=compute_recall,
    explain_undefined=explain_undefined,
    intervals=wilson_of_patients(count_trials),
    position=50,
    on_screen=True,
    at_operating_points=True,
    for_mixed_sources="always",
)
