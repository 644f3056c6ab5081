"""The blocks of a study's dashboard: bars, curves, settings and the table of runs."""

from collections.abc import Sequence
from typing import Any

import wandb_workspaces.reports.v2 as reports
from wandb_workspaces import expr

from mds_lightning.tracking.tracked import BEST, Scalar, TrackedStudy

_CAUTION = (
    "All values are measured on validation patients; a bar or band is the range over the folds, not a "
    "confidence interval. Test results with intervals: mds-lightning evaluate."
)
#: Columns of a report's grid of panels.
_WIDTH = 24
#: Number of lines that a plot shows; the default of W&B is 10.
_MAX_LINES = 100
#: A setting whose values span more than this factor has a logarithmic axis.
_LOG_SPAN = 10.0
_CURVES = {"Validation AUROC": "val/auroc", "Validation loss": "val/loss", "Training loss": "train/loss"}


def lay_out(study: TrackedStudy, entity: str) -> list[Any]:
    """Return the blocks of the report. Every set of runs contains the runs of the study only.

    Args:
        study: The study.
        entity: W&B user or team of its runs.
    """

    def run_set(name: str, **options: Any) -> reports.Runset:
        selected = expr.And(expr.Metric("Group") == study.name)
        return reports.Runset(entity=entity, project=study.project, name=name, filters=selected, **options)

    def grid(panels: Sequence[Any]) -> reports.PanelGrid:
        return reports.PanelGrid(runsets=[run_set("Folds")], panels=list(panels), hide_run_sets=True)

    blocks = [reports.P(_CAUTION), reports.H2("Backbones and trials"), grid(_variants())]
    blocks += [reports.H2("Folds"), grid(_curves())]
    if any(not key.startswith("backbone.") for key in study.compared):
        blocks += [reports.H2("Settings"), grid(_settings(study))]
    settings = [f"config:settings.value.{key}" for key in study.compared]
    runs = run_set(
        "Study, variant, fold",
        groupby=["run.group", "config.variant", "config.fold"],
        order=[reports.OrderBy(reports.SummaryMetric(BEST))],
        pinned_columns=["run:displayName"],
        visible_columns=[f"summary:{BEST}", "summary:val/loss", *settings, "run:state", "run:duration"],
        lock_columns=True,
    )
    return [*blocks, reports.H2("Runs"), reports.PanelGrid(runsets=[runs])]


def _layout(x: int, width: int, y: int = 0) -> reports.Layout:
    return reports.Layout(x=x, y=y, w=width, h=10)


def _variants() -> list[Any]:
    half = _WIDTH // 2
    folds = {"groupby": reports.Config("variant"), "groupby_aggfunc": "mean", "groupby_rangefunc": "minmax"}
    bars = reports.BarPlot(
        title="Best validation AUROC: mean and range over the folds",
        metrics=[BEST],
        max_runs_to_show=1000,
        max_bars_to_show=_MAX_LINES,
        layout=_layout(0, half),
        **folds,
    )
    curves = reports.LinePlot(
        title="Validation AUROC: mean and range over the folds",
        x="epoch",
        y=["val/auroc"],
        max_runs_to_show=_MAX_LINES,
        layout=_layout(half, half),
        **folds,
    )
    return [bars, curves]


def _curves() -> list[Any]:
    third = _WIDTH // 3
    return [
        reports.LinePlot(
            title=title,
            x="epoch",
            y=[metric],
            max_runs_to_show=_MAX_LINES,
            legend_fields=["run:displayName"],
            layout=_layout(place * third, third),
        )
        for place, (title, metric) in enumerate(_CURVES.items())
    ]


def _settings(study: TrackedStudy) -> list[Any]:
    column = reports.ParallelCoordinatesPlotColumn
    columns = [
        column(reports.Config(f"settings.{key}"), display_name=key, log=_spans_decades(values) or None)
        for key, values in study.compared.items()
    ]
    columns.append(column(reports.SummaryMetric(BEST), display_name=BEST))
    title = "Settings and the best validation AUROC of each fold"
    return [
        reports.ParallelCoordinatesPlot(title=title, columns=columns, layout=_layout(0, _WIDTH)),
        reports.ParameterImportancePlot(with_respect_to=BEST, layout=_layout(0, _WIDTH, y=10)),
    ]


def _spans_decades(values: Sequence[Scalar]) -> bool:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == len(values) and min(numbers) > 0 and max(numbers) / min(numbers) >= _LOG_SPAN
