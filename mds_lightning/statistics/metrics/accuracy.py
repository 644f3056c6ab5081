"""Accuracy: the fraction of rows whose predicted class is the true one."""

from mds_lightning.statistics.metric import ClassValues, Metric, wilson_of_patients
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_accuracy(weighted: WeightedSample) -> ClassValues:
    """Overall."""
    return {"overall": weighted.confusion.correct.sum(axis=1) / weighted.confusion.total}


def count_trials(weighted: WeightedSample, _class_name: str) -> tuple[float, float]:
    """Correct rows and all rows."""
    return float(weighted.confusion.correct.sum()), float(weighted.confusion.total.sum())


def explain_undefined(_sample: Sample, _class_name: str) -> str:
    """Without rows."""
    return "there are no rows"


METRIC = Metric(
    name="accuracy",
    label="Accuracy",
    compute=compute_accuracy,
    explain_undefined=explain_undefined,
    intervals=wilson_of_patients(count_trials),
    position=30,
    on_screen=True,
    at_operating_points=True,
)
