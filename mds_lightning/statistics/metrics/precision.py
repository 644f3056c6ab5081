"""Precision: the fraction of the rows predicted as a class that are of that class.

That of the positive class is the positive predictive value, that of the negative class the negative one.
"""

from mds_lightning.statistics.metric import ClassValues, Metric, by_class, wilson_of_patients, with_macro
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_precision(weighted: WeightedSample) -> ClassValues:
    """Of each class, and their mean."""
    confusion = weighted.confusion
    return with_macro(by_class(weighted.sample, confusion.correct / confusion.predicted))


def count_trials(weighted: WeightedSample, class_name: str) -> tuple[float, float] | None:
    """Correct rows and all rows that are predicted as the class."""
    if class_name == "macro":
        return None
    k = weighted.sample.classes.index(class_name)
    return float(weighted.confusion.correct[0, k]), float(weighted.confusion.predicted[0, k])


def explain_undefined(sample: Sample, _class_name: str) -> str:
    """Without rows that are predicted as the class."""
    never = [name for k, name in enumerate(sample.classes) if not (sample.predicted == k).any()]
    return f"no row is predicted as {', '.join(never)}"


METRIC = Metric(
    name="precision",
    label="Precision",
    compute=compute_precision,
    explain_undefined=explain_undefined,
    intervals=wilson_of_patients(count_trials),
    position=40,
    on_screen=True,
    at_operating_points=True,
)
