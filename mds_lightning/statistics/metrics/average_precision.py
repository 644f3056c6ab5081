"""Average precision: the mean of precision over the gains in recall, as in scikit-learn."""

from mds_lightning.statistics.metric import ClassValues, Metric, list_absent, with_macro
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_average_precision(weighted: WeightedSample) -> ClassValues:
    """Of the positive class of two; of more, one against the rest for each class, and their mean."""
    return with_macro({name: values for name, (_, values) in weighted.ranked.items()})


def explain_undefined(sample: Sample, _class_name: str) -> str:
    """Without rows of the class."""
    return f"no row is {list_absent(sample)}"


METRIC = Metric(
    name="average_precision",
    label="Average precision",
    compute=compute_average_precision,
    explain_undefined=explain_undefined,
    position=80,
    from_ranking=True,
)
