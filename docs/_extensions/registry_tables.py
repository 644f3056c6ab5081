"""Tables of the checks, metrics, explanation methods and backbones, from their registries."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from markdown_text import code, escape, table

from mds_lightning.audit import checks
from mds_lightning.audit.check_registry import find_checks
from mds_lightning.explain.method_registry import registered_methods
from mds_lightning.models.backbones import BACKBONES
from mds_lightning.statistics import metrics
from mds_lightning.statistics.metric_registry import list_metrics


def registry_tables() -> dict[str, str]:
    """Name of a table to its Markdown."""
    return {
        "checks": _tabulate_checks(),
        "metrics": _tabulate_metrics(),
        "explanation_methods": _tabulate_explanation_methods(),
        "backbones": _tabulate_backbones(),
    }


def _tabulate_checks() -> str:
    reasons = {module.CHECK.code: reason for module, _, reason in _documented_modules(checks)}
    rows = [
        [code(check.code), check.severity, escape(check.title), escape(reasons[check.code])]
        for check in find_checks()
    ]
    return table(["code", "severity", "finding", "explanation"], rows)


def _tabulate_metrics() -> str:
    definitions = {module.METRIC.name: first for module, first, _ in _documented_modules(metrics)}
    rows = [
        [code(metric.name), escape(metric.label), escape(definitions[metric.name])]
        for metric in list_metrics()
    ]
    return table(["name", "label", "definition"], rows)


def _tabulate_explanation_methods() -> str:
    rows = [
        [
            code(name),
            escape(method.title),
            escape(method.description),
            ", ".join(code(f"explain.{key}") for key in sorted(method.settings)),
        ]
        for name, method in registered_methods().items()
    ]
    return table(["`explain.method=`", "title", "description", "further keys"], rows)


def _tabulate_backbones() -> str:
    rows = [
        [
            code(name),
            backbone.library,
            "" if backbone.n_parameters is None else f"{backbone.n_parameters / 1e6:.1f}",
            "any" if backbone.input_size is None else " × ".join(map(str, backbone.input_size)),
        ]
        for name, backbone in BACKBONES.items()
    ]
    return table(["`backbone=`", "library", "parameters (millions)", "input size (pixels)"], rows)


def _documented_modules(package: ModuleType) -> Iterator[tuple[ModuleType, str, str]]:
    """Each module of a package with the first paragraph of its docstring and the rest, each in one line."""
    for one in iter_modules(package.__path__, f"{package.__name__}."):
        module = import_module(one.name)
        first, _, rest = (module.__doc__ or "").partition("\n\n")
        yield module, " ".join(first.split()), " ".join(rest.split())
