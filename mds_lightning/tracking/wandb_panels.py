"""What the dashboard of a study draws: bars, curves, settings and the table of runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import wandb_workspaces.reports.v2 as reports
from wandb_workspaces import expr

from mds_lightning.tracking.tracked import BEST, Scalar

_CAUTION = (
    "Everything here is measured on validation patients; a bar or band spans the folds, and is no confidence "
    "interval. Test figures with intervals: mds-lightning evaluate."
)
#: Columns of a report's grid of panels.
_WIDTH = 24
#: Lines a plot draws at most; W&B's own limit is 10.
_MOST_LINES = 100
#: A setting whose values span so much is drawn on a logarithmic axis.
_LOG_SPAN = 10.0


def lay_out(compared: Mapping[str, Sequence[Scalar]]) -> list[Any]:
    """The blocks of the report. Every set of runs is filtered by one group, whose name is a placeholder.

    Args:
        compared: Settings that differ between the variants, with their values.
    """
    blocks = [
        reports.P(_CAUTION),
        reports.H2("Backbones and trials"),
        _grid("Folds", _bars()),
        reports.H2("Folds"),
        _grid("Folds", _curves()),
    ]
    settings = [key for key in compared if not key.startswith("backbone.")]
    if settings:
        blocks += [reports.H2("Settings"), _grid("Folds", _settings(compared))]
    blocks += [reports.H2("Runs"), reports.PanelGrid(runsets=[_table(compared)])]
    return blocks


def _run_set(name: str, **options: Any) -> reports.Runset:
    return reports.Runset(name=name, filters=expr.And(expr.Metric("Group") == "study"), **options)


def _grid(name: str, panels: Sequence[Any]) -> reports.PanelGrid:
    return reports.PanelGrid(runsets=[_run_set(name)], panels=list(panels), hide_run_sets=True)


def _layout(x: int, width: int, y: int = 0, height: int = 10) -> reports.Layout:
    return reports.Layout(x=x, y=y, w=width, h=height)


def _bars() -> list[Any]:
    spread = {"groupby": reports.Config("variant"), "groupby_aggfunc": "mean", "groupby_rangefunc": "minmax"}
    half = _WIDTH // 2
    return [
        reports.BarPlot(
            title="Best validation AUROC: mean and range of the folds",
            metrics=[BEST],
            max_runs_to_show=1000,
            max_bars_to_show=_MOST_LINES,
            layout=_layout(0, half),
            **spread,
        ),
        reports.LinePlot(
            title="Validation AUROC: mean and range of the folds",
            x="epoch",
            y=["val/auroc"],
            max_runs_to_show=_MOST_LINES,
            layout=_layout(half, half),
            **spread,
        ),
    ]


def _curves() -> list[Any]:
    third = _WIDTH // 3
    drawn = {"Validation AUROC": "val/auroc", "Validation loss": "val/loss", "Training loss": "train/loss"}
    return [
        reports.LinePlot(
            title=title,
            x="epoch",
            y=[metric],
            max_runs_to_show=_MOST_LINES,
            legend_fields=["run:displayName"],
            layout=_layout(place * third, third),
        )
        for place, (title, metric) in enumerate(drawn.items())
    ]


def _settings(compared: Mapping[str, Sequence[Scalar]]) -> list[Any]:
    columns = [
        reports.ParallelCoordinatesPlotColumn(
            reports.Config(f"settings.{key}"), display_name=key, log=_spans_decades(values) or None
        )
        for key, values in compared.items()
    ]
    columns.append(reports.ParallelCoordinatesPlotColumn(reports.SummaryMetric(BEST), display_name=BEST))
    return [
        reports.ParallelCoordinatesPlot(
            title="Settings and the best validation AUROC of each fold",
            columns=columns,
            layout=_layout(0, _WIDTH),
        ),
        reports.ParameterImportancePlot(with_respect_to=BEST, layout=_layout(0, _WIDTH, y=10)),
    ]


def _spans_decades(values: Sequence[Scalar]) -> bool:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == len(values) and min(numbers) > 0 and max(numbers) / min(numbers) >= _LOG_SPAN


def _table(compared: Mapping[str, Sequence[Scalar]]) -> reports.Runset:
    settings = [f"config:settings.value.{key}" for key in compared]
    return _run_set(
        "Study, variant, fold",
        groupby=["run.group", "config.variant", "config.fold"],
        order=[reports.OrderBy(reports.SummaryMetric(BEST))],
        pinned_columns=["run:displayName"],
        visible_columns=[f"summary:{BEST}", "summary:val/loss", *settings, "run:state", "run:duration"],
        lock_columns=True,
    )
