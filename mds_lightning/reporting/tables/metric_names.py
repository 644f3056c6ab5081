"""Names of metrics in tables and reports."""

from mds_lightning.statistics.metric_registry import find_metric


def name_metric(metric: str, class_name: str) -> str:
    """`Precision, MDS`; of a metric that has no classes only its label, such as `Accuracy`.

    Args:
        metric: Name of a registered metric.
        class_name: A class, `macro` or `overall`.

    Raises:
        ValueError: There is no such metric.
    """
    label = find_metric(metric).label
    return label if class_name == "overall" else f"{label}, {class_name}"
