"""Tables of external patients, and of the recalibration on their sites."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from mds_lightning.reporting.tables.estimate_tables import format_estimate
from mds_lightning.reporting.tables.evidence import Evidence
from mds_lightning.reporting.tables.metric_names import name_metric
from mds_lightning.reporting.tables.numbers import Estimate

#: Calibration measures, which are no registered metrics.
_CALIBRATION = {
    "brier": "Brier score",
    "intercept": "Calibration intercept (0 is ideal)",
    "slope": "Calibration slope (1 is ideal)",
}


@dataclass(frozen=True)
class ModelsLine:
    """A metric of external patients at both levels.

    Attributes:
        name: In tables, such as `Recall, MDS`.
        rule: How classes are predicted; empty for metrics of the ranking.
        patients: Of whom, and against whom.
        levels: `image` and `patient` to the mean over the models.
        lowest: Smallest value of a model, at patient level.
        highest: Largest value of a model, at patient level.
    """

    name: str
    rule: str
    patients: str
    levels: Mapping[str, Estimate]
    lowest: float
    highest: float


def list_external_lines(evidence: Evidence) -> Iterator[ModelsLine]:
    """Yield every metric of the external patients; none without external patients."""
    table = evidence.tables.get("external", pd.DataFrame(columns=["patients", "rule", "metric", "class"]))
    for (patients, rule, metric, name), lines in table.groupby(
        ["patients", "rule", "metric", "class"], sort=False
    ):
        levels = {str(line["level"]): Estimate.of(line) for line in lines.to_dict("records")}
        patient = lines[lines["level"] == "patient"]
        if patient.empty:
            continue
        lowest, highest = float(patient["lowest"].iloc[0]), float(patient["highest"].iloc[0])
        yield ModelsLine(
            name_metric(str(metric), str(name)), str(rule), str(patients), levels, lowest, highest
        )


def describe_external(evidence: Evidence) -> str:
    """What the table of external patients shows, and why it leaves metrics out; empty without any."""
    external = evidence.external
    if external is None:
        return ""
    n_models = external.alone.table["fold"].nunique()
    called = (
        "at the threshold of each model, chosen on its validation rows of the same level"
        if external.alone.is_binary
        else "by the largest recalibrated probability"
    )
    text = (
        f"External patients: mean over the {n_models} models [{evidence.settings.confidence:.0%} interval: "
        f"variance of patients and models]. Classes are predicted {called}."
    )
    if external.mixture:
        text += (
            " Precision, accuracy, average precision and other metrics that depend on the frequencies of "
            f"the classes are not given, because {external.mixture}."
        )
    return text


def show_external(evidence: Evidence, title: str) -> list[Table]:
    """The external patients for the terminal, and the recalibration on their sites."""
    tables = []
    lines = list(list_external_lines(evidence))
    if lines:
        shown = _start(f"{title}: external patients", describe_external(evidence))
        for head in ("metric", "classes predicted by", "patients", "range of models"):
            shown.add_column(head)
        for line in lines:
            cells = (line.name, line.rule or "(ranking)", _format(line.levels["patient"]))
            shown.add_row(*map(escape, cells), f"{line.lowest:.3f} to {line.highest:.3f}")
        tables.append(shown)
    if "site_recalibration" in evidence.tables:
        shown = _start(f"{title}: recalibration on the site", " ".join(describe_offsets(evidence)))
        recalibration = tabulate_recalibration(evidence)
        for head in recalibration.columns:
            shown.add_column(str(head))
        for row in recalibration.itertuples(index=False, name=None):
            shown.add_row(*(escape(str(cell)) for cell in row))
        tables.append(shown)
    return tables


def tabulate_external(variants: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """Every metric of every variant: columns model, patients, level, classes predicted by, and metrics.

    Args:
        variants: Variant to its tables.
    """
    rows: list[dict[str, Any]] = []
    for model, tables in variants.items():
        for (patients, level, rule), lines in tables["external"].groupby(
            ["patients", "level", "rule"], sort=False
        ):
            row: dict[str, Any] = {"model": model, "patients": patients, "level": level}
            row["classes predicted by"] = rule
            rows.append(row | {
                name_metric(line["metric"], line["class"]): _format(Estimate.of(line))
                for line in lines.to_dict("records")
            })  # fmt: skip
    return pd.DataFrame(rows).fillna("")


def tabulate_recalibration(evidence: Evidence) -> pd.DataFrame:
    """Calibration on each site, one column for each kind of probabilities; empty without it."""
    table = evidence.tables.get("site_recalibration")
    if table is None:
        return pd.DataFrame()
    rows: list[dict[str, str]] = []
    for (site, metric, name), lines in table.groupby(["site", "metric", "class"], sort=False):
        label = (
            f"{_CALIBRATION[metric]}, {name}"
            if metric in _CALIBRATION
            else name_metric(str(metric), str(name))
        )
        row = {"site": str(site), "metric": label}
        rows.append(row | {
            str(line["probabilities"]): _format(Estimate.of(line)) for line in lines.to_dict("records")
        })  # fmt: skip
    return pd.DataFrame(rows)


def describe_offsets(evidence: Evidence) -> list[str]:
    """One sentence for each offset that was learned: its value, and how many patients it needs."""
    table = evidence.tables.get("site_offsets")
    if table is None:
        return []
    return [
        f"{line['site']}: offset of {line['class']} {line['offset']:.2f} [{line['low']:.2f}, "
        f"{line['high']:.2f}] (log-odds, mean over the models; {line['models']} for each). A model's offset "
        f"is known to ± {line['precision']:g} from about {line['patients_needed']} labelled patients "
        f"with these fractions of the classes; the site has {line['n_patients']}."
        for line in table.to_dict("records")
    ]


def _start(title: str, caption: str) -> Table:
    return Table(
        title=escape(title), caption=escape(caption), title_justify="left", caption_justify="left",
        box=box.SIMPLE_HEAD,
    )  # fmt: skip


def _format(one: Estimate) -> str:
    return format_estimate(one.value, one.low, one.high)
