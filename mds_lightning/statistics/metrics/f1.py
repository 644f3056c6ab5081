"""F1: the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN)."""

import numpy as np

from mds_lightning.statistics.metric import ClassValues, Metric, by_class, with_macro
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_f1(weighted: WeightedSample) -> ClassValues:
    """Of each class, and their mean."""
    confusion = weighted.confusion
    values = 2 * confusion.correct / (confusion.actual + confusion.predicted)
    return with_macro(by_class(weighted.sample, values))


def explain_undefined(sample: Sample, _class_name: str) -> str:
    """Without rows of the class, true or predicted."""
    present = np.union1d(sample.target, sample.predicted)
    absent = ", ".join(name for k, name in enumerate(sample.classes) if k not in present)
    return f"no row is {absent}, and none is predicted as {absent}"


METRIC = Metric(
    name="f1",
    label="F1",
    compute=compute_f1,
    explain_undefined=explain_undefined,
    position=70,
)
