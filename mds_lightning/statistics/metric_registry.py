"""Every metric of `statistics/metrics/`, found by reading that folder."""

import importlib
import pkgutil
from functools import cache

from mds_lightning.statistics import metrics
from mds_lightning.statistics.metric import Metric


@cache
def list_metrics() -> tuple[Metric, ...]:
    """All metrics in the order of the tables.

    Raises:
        ValueError: A file holds no `METRIC`, or two files hold metrics of the same name.
    """
    found: dict[str, Metric] = {}
    for module in pkgutil.iter_modules(metrics.__path__, f"{metrics.__name__}."):
        metric = getattr(importlib.import_module(module.name), "METRIC", None)
        if not isinstance(metric, Metric):
            raise ValueError(f"{module.name} holds no METRIC: define METRIC = Metric(...) in it")
        if metric.name in found:
            raise ValueError(f"{module.name}: there is another metric named {metric.name!r}: rename one")
        found[metric.name] = metric
    return tuple(sorted(found.values(), key=lambda metric: metric.sort_key))


def find_metric(name: str) -> Metric:
    """The metric of this name.

    Raises:
        ValueError: There is none.
    """
    for metric in list_metrics():
        if metric.name == name:
            return metric
    known = ", ".join(metric.name for metric in list_metrics())
    raise ValueError(f"there is no metric {name!r}: choose one of {known}")
