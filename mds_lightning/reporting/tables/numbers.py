"""Estimates as the page shows them: a value, its limits, and why something is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mds_lightning.reporting.tables.estimate_tables import NAMES
from mds_lightning.reporting.tables.headline import NARROWEST, choose_headlines
from mds_lightning.statistics.intervals.newcombe import NEWCOMBE
from mds_lightning.statistics.subgroups import FEWEST

_TOO_FEW = f"fewer than {FEWEST}"


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: NaN where undefined.
        low: NaN where there is no interval.
        high: Likewise.
        note: Why it is undefined, or what to keep in mind.
        kind: How the interval was made, where it is not the page's usual one.
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
        """Whether there are limits with some distance between them."""
        return bool(np.isfinite(self.low) and self.high - self.low > NARROWEST)

    @property
    def number(self) -> str:
        """`0.931`, or `undefined`."""
        return _write(self.value) if self.is_defined else "undefined"

    @property
    def limits(self) -> str:
        """`0.880 to 0.970`, or why there are none; names an interval that is not the page's usual one."""
        if self.has_interval:
            return f"{_write(self.low)} to {_write(self.high)}{self.kind and f', {self.kind}'}"
        return "no spread" if np.isfinite(self.low) else "no interval"

    def __str__(self) -> str:
        return f"{self.number} [{self.limits}]" if self.is_defined else "undefined"


@dataclass(frozen=True)
class MetricLine:
    """One metric of one group of patients; `levels` holds `image` and `patient`."""

    name: str
    levels: Mapping[str, Estimate]


def name_metric(metric: str, of: str) -> str:
    """`Precision, MDS`."""
    name = NAMES.get(metric, metric)
    return name if of == "overall" else f"{name}, {of}"


def list_metrics(table: pd.DataFrame, patients: str) -> Iterator[MetricLine]:
    """Yield every metric of one group of patients with its headline interval, in a paper's order.

    Args:
        table: `evidence.tables["metrics"]`, or those of operating points.
        patients: Which group.
    """
    chosen = choose_headlines(table[table["patients"] == patients])
    for metric in NAMES:
        lines = chosen[chosen["metric"] == metric]
        for of in lines["of"].unique():
            levels = {
                str(line["level"]): _of_headline(line) for line in lines[lines["of"] == of].to_dict("records")
            }
            yield MetricLine(name_metric(metric, str(of)), levels)


def find_estimate(table: pd.DataFrame, patients: str, level: str, metric: str, of: str) -> Estimate | None:
    """One estimate of a table with its headline interval, or None where it is not there."""
    wanted = {"patients": patients, "level": level, "metric": metric, "of": of}
    found = table[np.logical_and.reduce([table[key] == value for key, value in wanted.items()])]
    found = choose_headlines(found)
    return _of_headline(found.iloc[0].to_dict()) if len(found) else None


def _of_headline(line: Mapping[Any, Any]) -> Estimate:
    return replace(Estimate.of(line), kind=NEWCOMBE if line["interval"] == NEWCOMBE else "")


@dataclass(frozen=True)
class GroupLine:
    """One group of one clinical column.

    Attributes:
        column: Its name.
        group: The value, or a third of many numbers.
        patients: Who the estimates rest on.
        size: Number of patients, or `fewer than 10`.
        estimates: Name of the metric to its estimate.
    """

    column: str
    group: str
    patients: str
    size: str
    estimates: Mapping[str, Estimate]


def list_groups(table: pd.DataFrame) -> list[GroupLine]:
    """A line for each group; a column's groups of too few patients share one line, its last.

    Args:
        table: Rows of `statistics.subgroups.estimate_subgroups`.
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
        name_metric(line["metric"], line["of"]): Estimate.of(line) for line in part.to_dict("records")
    }
    first = part.iloc[0]
    size = _TOO_FEW if pd.isna(first["n_patients"]) else str(first["n_patients"])
    return GroupLine(str(first["column"]), str(first["group"]), str(first["patients"]), size, estimates)


def _write(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
