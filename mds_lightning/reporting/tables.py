"""Tables of estimates: on the screen and in files."""

from pathlib import Path

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from mds_lightning.tracking.run_directory import write_atomically

#: The order in which the screen shows metrics, and their names there.
HEADLINES = {
    "roc_auc": "ROC-AUC",
    "roc_auc_within_folds": "ROC-AUC within folds",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
}
_INTERVAL = "bootstrap over patients, percentile"


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write `table` without its index, under a temporary name first; returns `path`."""
    with write_atomically(path) as temporary:
        table.to_csv(temporary, index=False)
    return path


def format_estimate(value: float, low: float, high: float, digits: int = 3) -> str:
    """`0.970 [0.951, 0.984]`, or `undefined` for NaN."""
    if pd.isna(value):
        return "undefined"
    limits = "no interval" if pd.isna(low) else f"{low:.{digits}f}, {high:.{digits}f}"
    return f"{value:.{digits}f} [{limits}]"


def show_estimates(table: pd.DataFrame, title: str, confidence: float) -> list[Table]:
    """The headline metrics of `statistics.estimates.estimate` for the terminal (80 columns are enough).

    Args:
        table: Estimates of any number of groups of patients.
        title: Above the tables.
        confidence: Of the intervals.

    Returns:
        A table for each group of patients: a line a metric, image and patient level side by side.
    """
    chosen = table[(table["interval"] == _INTERVAL) & table["metric"].isin(HEADLINES.keys())]
    chosen = chosen[(chosen["of"] != "macro") | chosen["metric"].str.startswith("roc_auc")]
    return [
        _show_group(chosen[chosen["patients"] == patients], escape(f"{title}: {patients}"), confidence)
        for patients in chosen["patients"].unique()
    ]


def _show_group(group: pd.DataFrame, title: str, confidence: float) -> Table:
    caption = f"{confidence:.0%} intervals: bootstrap over patients, stratified by class, percentile"
    shown = Table(
        title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD
    )
    rows, patients = (
        dict(zip(group["level"], group[column], strict=True)) for column in ("n_rows", "n_patients")
    )
    shown.add_column("metric")
    shown.add_column(f"{rows['image']} image rows", no_wrap=True)
    shown.add_column(f"{patients['patient']} patients", no_wrap=True)
    for metric, name in HEADLINES.items():
        lines = group[group["metric"] == metric]
        for of in lines["of"].unique():
            cells = _cells(lines[lines["of"] == of])
            whole = name if of == "overall" else f"{name}, {of}"
            shown.add_row(escape(whole), cells["image"], cells["patient"])
    return shown


def _cells(lines: pd.DataFrame) -> dict[str, str]:
    values = lines[["value", "low", "high"]].to_numpy(float)
    return {level: escape(format_estimate(*row)) for level, row in zip(lines["level"], values, strict=True)}
