"""Whether the rows of a manifest agree with each other: labels, external patients, images listed twice."""

import posixpath
import unicodedata
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.manifest_cells import parse_external
from mds_lightning.cohort.task import Task


def consistency_complaints(rows: pd.DataFrame, file: str, task: Task) -> list[Complaint]:
    """Contradictions between rows.

    A patient with two labels of the task is an error; with one of the task and one that it leaves out, a
    warning, since those rows are not used.

    Args:
        rows: Clean text; the index is the row of the spreadsheet. Columns that are absent are not looked at.
        file: The manifest, for the complaints.
        task: What is asked of the rows.
    """
    complaints: list[Complaint] = []
    columns = set(rows.columns)
    if {"patient_id", "label"} <= columns:
        complaints += _contradictions(rows, rows["label"], file, task.classes)
    if {"patient_id", "external"} <= columns:
        external = parse_external(rows["external"]).map({True: "true", False: "false"}).rename("external")
        complaints += _contradictions(rows, external, file, ("true", "false"))
    if "image" in columns:
        complaints += _repeated_images(rows, file)
    for column in ("patient_id", "label", "site"):
        if column in columns:
            complaints += _lookalikes(rows[column], file)
    return complaints


def task_complaints(rows: pd.DataFrame, file: str, task: Task, n_splits: int) -> list[Complaint]:
    """What keeps the rows from serving `task`: a label that none has, a class of too few patients."""
    if not {"patient_id", "label"} <= set(rows.columns):
        return []
    external = parse_external(rows["external"]) if "external" in rows.columns else False
    internal = rows[(rows["patient_id"] != "") & ~pd.Series(external, rows.index)]
    patients = internal.groupby("label")["patient_id"].nunique()
    present = sorted(set(rows["label"]) - {""})
    complaints = []
    for label in task.classes:
        if label not in present:
            near = [other for other in present if other.casefold() == label.casefold()]
            message = (
                f"has no row with the label '{label}' of task '{task.name}': "
                f"{f'it is spelt {near[0]!r} here' if near else f'its labels are {_listed(present)}'}; "
                "correct task.positive, task.negative or task.classes, or the labels"
            )
            complaints.append(Complaint("error", file, None, "label", message))
        elif (number := int(patients.get(label, 0))) < n_splits:
            message = (
                f"class '{label}' has fewer patients that are not external ({number}) than folds "
                f"(folds.n_splits={n_splits}): add patients, or ask for fewer folds"
            )
            complaints.append(Complaint("error", file, None, "label", message))
    return complaints


def normal_path(image: str) -> str:
    """One spelling for all spellings of a path: 'a/../b', './b' and 'b', composed and decomposed letters."""
    return unicodedata.normalize("NFC", posixpath.normpath(image)) if image else ""


def texts(rows: pd.DataFrame, column: str) -> dict[int, str]:
    """Row of the spreadsheet to text; '' throughout where there is no such column."""
    values = rows[column].tolist() if column in rows.columns else [""] * len(rows)
    return dict(zip(rows.index.tolist(), values, strict=True))


def _contradictions(
    rows: pd.DataFrame, values: pd.Series, file: str, serious: Sequence[str]
) -> list[Complaint]:
    """Patients with two values, each departure at its first row: an error between two `serious` values."""
    table = pd.DataFrame({"row": rows.index, "patient": rows["patient_id"].array, "value": values.array})
    table = table[(table["patient"] != "") & (table["value"] != "")].drop_duplicates(["patient", "value"])
    # Serious values first, so that each later one is compared with one that matters.
    table["ease"] = ~table["value"].isin(serious)
    table = table[table.duplicated("patient", keep=False)].sort_values(["ease", "row"])
    complaints = []
    for patient, group in table.groupby("patient", sort=False):
        if group["ease"].all():
            continue
        (first_row, first), *others = zip(group["row"].tolist(), group["value"].tolist(), strict=True)
        for row, value in others:
            message = (
                f"patient '{patient}' has {values.name} '{value}' here and '{first}' in row {first_row}: "
                f"a patient has one {values.name}"
            )
            severity: Literal["error", "warning"] = "error" if value in serious else "warning"
            complaints.append(Complaint(severity, file, row, str(values.name), message))
    return complaints


def _repeated_images(rows: pd.DataFrame, file: str) -> list[Complaint]:
    images, patients = texts(rows, "image"), texts(rows, "patient_id")
    first_row: dict[str, int] = {}
    complaints = []
    for row, image in images.items():
        first = first_row.setdefault(normal_path(image), row)
        if first == row or not image:
            continue
        if patients[first] != patients[row]:
            fault = (
                f"is in row {first} under patient '{patients[first]}' and here under '{patients[row]}': "
                "keep the right row"
            )
        else:
            fault = f"is already in row {first}: keep one of the rows"
        also = "" if images[first] == image else f" (there as '{images[first]}')"
        complaints.append(Complaint("error", file, row, "image", f"the image '{image}' {fault}{also}"))
    return complaints


def _lookalikes(values: pd.Series, file: str) -> list[Complaint]:
    """Values that differ only in case or blanks: perhaps one patient, or one label, written in two ways."""
    distinct = values[values != ""].drop_duplicates()
    first_of: dict[str, tuple[int, str]] = {}
    complaints = []
    for row, value in zip(distinct.index.tolist(), distinct.tolist(), strict=True):
        first_row, first = first_of.setdefault("".join(value.casefold().split()), (row, value))
        if first_row != row:
            message = (
                f"'{value}' differs from '{first}' (row {first_row}) only in case or blanks: "
                "write both alike if they are one"
            )
            complaints.append(Complaint("warning", file, row, str(values.name), message))
    return complaints


def _listed(labels: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(f"'{label}'" for label in labels[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
