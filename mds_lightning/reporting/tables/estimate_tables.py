"""Tables of estimates for the terminal, as CSV, and as Markdown and LaTeX for a paper."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.reporting.tables.escapes import disarm_table, escape_latex, escape_markdown, map_text
from mds_lightning.reporting.tables.headline import (
    KINDS,
    NARROWEST,
    RECALIBRATED_ON,
    WITHIN_FOLDS,
    choose_headlines,
)
from mds_lightning.reporting.tables.metric_names import name_metric
from mds_lightning.reporting.tables.published import PUBLISHED, SOURCE
from mds_lightning.statistics.intervals.newcombe import NEWCOMBE
from mds_lightning.statistics.metric import Metric
from mds_lightning.statistics.metric_registry import list_metrics


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write `table` without its index, under a temporary name first; returns `path`."""
    with write_atomically(path) as temporary:
        disarm_table(table).to_csv(temporary, index=False)
    return path


def write_table(table: pd.DataFrame, stem: Path, caption: str) -> list[Path]:
    """Write text as `<stem>.csv`, `.md` (with the caption) and `.tex`; returns the paths."""
    label = stem.name
    markdown, latex = map_text(table, escape_markdown), map_text(table, escape_latex)
    texts = {
        ".csv": disarm_table(table).to_csv(index=False),
        ".md": f"{escape_markdown(caption)}\n\n{markdown.to_markdown(index=False, disable_numparse=True)}\n",
        ".tex": latex.to_latex(
            index=False, escape=False, caption=escape_latex(caption), label=f"tab:{label}"
        ),
    }
    paths = []
    for suffix, text in texts.items():
        path = stem.with_name(label + suffix)
        with write_atomically(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def format_estimate(value: float, low: float, high: float, digits: int = 3) -> str:
    """`0.970 [0.951, 0.984]`; `undefined` for NaN; `[no spread]` where all resamples are equal.

    An interval without width would suggest certainty where there are only too few patients for a spread.
    """
    if np.isnan(value):
        return "undefined"
    limits = f"{low:.{digits}f}, {high:.{digits}f}"
    if np.isnan(low):
        limits = "no interval"
    elif high - low < NARROWEST:
        limits = "no spread"
    return f"{value:.{digits}f} [{limits}]"


def tabulate_performance(estimates: Mapping[str, pd.DataFrame], classes: tuple[str, ...]) -> pd.DataFrame:
    """Every metric of every variant with its interval, and the paper's best model if the task is the same.

    Args:
        estimates: Variant to its estimates.
        classes: Of the task.

    Returns:
        Columns patients, level, model, then one per metric and class; one row for each variant, group
        of patients and level.
    """
    rows = []
    for model, table in estimates.items():
        chosen = choose_headlines(table)
        for (patients, level), group in chosen.groupby(["patients", "level"], sort=False):
            rows.append(
                {"patients": patients, "level": level, "model": model} | _cells(group, list_metrics())
            )
    table = pd.DataFrame(rows)
    table = pd.concat([table[table["patients"] == patients] for patients in table["patients"].unique()])
    published = PUBLISHED.get(classes) if len(classes) == 2 else None
    if published is not None:
        patients = " and ".join(f"{count} {name}" for name, count in published.patients.items())
        line = {"patients": f"published: {patients}", "level": "", "model": f"{published.model} ({SOURCE})"}
        line |= {name_metric(*measure): f"{value:.2f}" for measure, value in published.values.items()}
        table = pd.concat([table, pd.DataFrame([line])], ignore_index=True)
    return table.fillna("")


def show_estimates(table: pd.DataFrame, title: str, confidence: float) -> list[Table]:
    """The metrics with `on_screen` for the terminal; 80 columns are enough.

    Args:
        table: From `statistics.estimates.estimate`, of any number of groups of patients.
        title: Title of the tables.
        confidence: Of the intervals.

    Returns:
        A table for each group of patients: one line per metric and class, with both levels side by side.
    """
    names = [metric.name for metric in list_metrics() if metric.on_screen]
    chosen = choose_headlines(table[table["metric"].isin(names)])
    chosen = chosen[(chosen["class"] != "macro") | chosen["metric"].str.startswith("roc_auc")]
    return [
        _show_group(chosen[chosen["patients"] == patients], escape(f"{title}: {patients}"), confidence)
        for patients in chosen["patients"].unique()
    ]


def _show_group(group: pd.DataFrame, title: str, confidence: float) -> Table:
    caption = f"probabilities {RECALIBRATED_ON}; {confidence:.0%} intervals: {KINDS}"
    if ((group["interval"] == NEWCOMBE) & (group["metric"] != WITHIN_FOLDS)).any():
        caption += "; of a pooled ROC-AUC of 1 also"
    cells = {level: _cells(group[group["level"] == level], list_metrics()) for level in ("image", "patient")}
    if any("no spread" in text for part in cells.values() for text in part.values()):
        caption += "; no spread: too few patients or errors for a spread"
    shown = Table(
        title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD
    )
    levels = {level: group[group["level"] == level] for level in ("image", "patient")}
    shown.add_column("metric")
    shown.add_column(f"{levels['image']['n_rows'].iloc[0]} image rows", no_wrap=True)
    shown.add_column(f"{levels['patient']['n_patients'].iloc[0]} patients", no_wrap=True)
    for name, text in cells["image"].items():
        shown.add_row(escape(name), escape(text), escape(cells["patient"][name]))
    return shown


def _cells(group: pd.DataFrame, metrics: Iterable[Metric]) -> dict[str, str]:
    """Name of each metric and class to its text."""
    cells = {}
    for metric in metrics:
        lines = group[group["metric"] == metric.name]
        values = lines[["value", "low", "high"]].to_numpy(float)
        for class_name, row in zip(lines["class"], values, strict=True):
            cells[name_metric(metric.name, str(class_name))] = format_estimate(*row)
    return cells
