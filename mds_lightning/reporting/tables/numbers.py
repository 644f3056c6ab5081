"""Estimates as the report shows them: a value with its limits, or the reason why it is undefined."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mds_lightning.reporting.tables.headline import NARROWEST, choose_headlines
from mds_lightning.reporting.tables.metric_names import name_metric
from mds_lightning.statistics.intervals.newcombe import NEWCOMBE
from mds_lightning.statistics.metric_registry import list_metrics
from mds_lightning.statistics.subgroups import FEWEST

_TOO_FEW = f"fewer than {FEWEST}"


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: NaN where undefined.
        low: NaN where there is no interval.
        high: Likewise.
        note: Why it is undefined, or a limitation.
        kind: Label of the interval where it is not the one that the report describes; else empty.
    """

    value: float
    low: float
    high: float
    note: str = ""
    kind: str = ""

    @classmethod
    def of(cls, line: Mapping[Any, Any]) -> "Estimate":
        """From a row of a table with value, low, high and note."""
        return cls(float(line["value"]), float(line["low"]), float(line["high"]), str(line["note"]))

    @property
    def is_defined(self) -> bool:
        """Whether there is a value."""
        return bool(np.isfinite(self.value))

    @property
    def has_interval(self) -> bool:
        """Whether there are limits, and the interval has a width."""
        return bool(np.isfinite(self.low) and self.high - self.low > NARROWEST)

    @property
    def number(self) -> str:
        """`0.931`, or `undefined`."""
        return _write(self.value) if self.is_defined else "undefined"

    @property
    def limits(self) -> str:
        """`0.880 to 0.970`, with `kind` if there is one; `no spread` or `no interval` without limits."""
        if self.has_interval:
            return f"{_write(self.low)} to {_write(self.high)}{self.kind and f', {self.kind}'}"
        return "no spread" if np.isfinite(self.low) else "no interval"

    def __str__(self) -> str:
        return f"{self.number} [{self.limits}]" if self.is_defined else "undefined"


@dataclass(frozen=True)
class MetricLine:
    """One metric of one class in one group of patients.

    Attributes:
        name: In tables, such as `Recall, MDS`.
        metric: Name of the metric.
        class_name: A class, `macro` or `overall`.
        levels: `image` and `patient` to the estimate.
    """

    name: str
    metric: str
    class_name: str
    levels: Mapping[str, Estimate]


def list_metric_lines(table: pd.DataFrame, patients: str) -> Iterator[MetricLine]:
    """Yield every metric of one group of patients with the interval to show, in the order of the tables.

    Args:
        table: `evidence.tables["metrics"]`, or the operating points of one rule.
        patients: Group of patients.
    """
    chosen = choose_headlines(table[table["patients"] == patients])
    for metric in list_metrics():
        lines = chosen[chosen["metric"] == metric.name]
        for class_name in lines["class"].unique():
            levels = {
                str(line["level"]): _of_headline(line)
                for line in lines[lines["class"] == class_name].to_dict("records")
            }
            name = name_metric(metric.name, str(class_name))
            yield MetricLine(name, metric.name, str(class_name), levels)


def find_estimate(
    table: pd.DataFrame, patients: str, level: str, metric: str, class_name: str
) -> Estimate | None:
    """One estimate of a table with the interval to show; None where the table does not hold it."""
    wanted = {"patients": patients, "level": level, "metric": metric, "class": class_name}
    found = table[np.logical_and.reduce([table[key] == value for key, value in wanted.items()])]
    found = choose_headlines(found)
    return _of_headline(found.iloc[0].to_dict()) if len(found) else None


def _of_headline(line: Mapping[Any, Any]) -> Estimate:
    return replace(Estimate.of(line), kind=NEWCOMBE if line["interval"] == NEWCOMBE else "")


@dataclass(frozen=True)
class GroupLine:
    """One group of one clinical column.

    Attributes:
        column: Name of the column.
        group: The value, or the third of a numerical column.
        patients: Which patients the estimates are computed from.
        size: Number of patients, or `fewer than 10`.
        estimates: Name of the metric and class to the estimate.
    """

    column: str
    group: str
    patients: str
    size: str
    estimates: Mapping[str, Estimate]


def list_groups(table: pd.DataFrame) -> list[GroupLine]:
    """A line for each group; the last line of a column lists all groups of too few patients.

    Args:
        table: From `statistics.subgroups.estimate_subgroups`.
    """
    lines = []
    for _, column in table.groupby("column", sort=False):
        several = [_read_group(part) for _, part in column.groupby("group", sort=False)]
        lines += [one for one in several if one.size != _TOO_FEW]
        rest = [one for one in several if one.size == _TOO_FEW]
        if rest:
            names = ", ".join(one.group for one in rest)
            lines.append(replace(rest[0], group=names, size=_TOO_FEW + " each" * (len(rest) > 1)))
    return lines


def _read_group(part: pd.DataFrame) -> GroupLine:
    estimates = {
        name_metric(line["metric"], line["class"]): Estimate.of(line) for line in part.to_dict("records")
    }
    first = part.iloc[0]
    size = _TOO_FEW if pd.isna(first["n_patients"]) else str(first["n_patients"])
    return GroupLine(str(first["column"]), str(first["group"]), str(first["patients"]), size, estimates)


def _write(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
