"""Consistency between the rows of a manifest: labels, external patients, images listed twice."""

import posixpath
import unicodedata
from collections.abc import Sequence

import pandas as pd

from mds_lightning.cohort.finding import Finding, FindingKind
from mds_lightning.cohort.finding_kinds import (
    CONFLICTING_EXTERNAL,
    CONFLICTING_LABELS,
    MISSING_LABEL,
    OTHER_LABEL,
    REPEATED_IMAGE,
    SIMILAR_VALUES,
    TOO_FEW_PATIENTS,
)
from mds_lightning.cohort.manifest_cells import parse_external
from mds_lightning.cohort.patient_ids import check_cells_of_ids, check_similar_ids
from mds_lightning.cohort.task import Task


def check_consistency(rows: pd.DataFrame, file: str, task: Task) -> list[Finding]:
    """Find contradictions between rows.

    A patient with two labels of the task is an error; with a label of the task and another label, a warning,
    since rows with other labels are not used.

    Args:
        rows: Clean text; the index is the row of the spreadsheet. Columns may be missing.
        file: The manifest, for the findings.
        task: Defines which labels are used.
    """
    findings: list[Finding] = []
    columns = set(rows.columns)
    if {"patient_id", "label"} <= columns:
        findings += _contradictions(rows, rows["label"], file, task.classes, CONFLICTING_LABELS)
    if {"patient_id", "external"} <= columns:
        external = parse_external(rows["external"]).map({True: "true", False: "false"}).rename("external")
        findings += _contradictions(rows, external, file, ("true", "false"), CONFLICTING_EXTERNAL)
    if "image" in columns:
        findings += _repeated_images(rows, file)
    for column in ("patient_id", "label", "site"):
        if column in columns:
            findings += _similar_values(rows[column], file)
    findings += check_cells_of_ids(rows, file)
    findings += check_similar_ids(rows, file, task.classes)
    return findings


def check_task(rows: pd.DataFrame, file: str, task: Task, n_splits: int) -> list[Finding]:
    """Find labels of `task` without rows, and classes with fewer patients than `n_splits` folds."""
    if not {"patient_id", "label"} <= set(rows.columns):
        return []
    external = parse_external(rows["external"]) if "external" in rows.columns else False
    internal = rows[(rows["patient_id"] != "") & ~pd.Series(external, rows.index)]
    patients = internal.groupby("label")["patient_id"].nunique()
    present = sorted(set(rows["label"]) - {""})
    findings = []
    for label in task.classes:
        if label not in present:
            near = [other for other in present if other.casefold() == label.casefold()]
            spelling = f"it is spelt {near[0]!r} here" if near else f"its labels are {_listed(present)}"
            finding = f"has no row with the label '{label}' of task '{task.name}' ({spelling})"
            remedy = "correct task.positive, task.negative or task.classes, or the labels"
            findings.append(Finding(MISSING_LABEL, file, None, "label", finding, remedy))
        elif (number := int(patients.get(label, 0))) < n_splits:
            finding, remedy = too_few_patients(label, number, n_splits)
            findings.append(Finding(TOO_FEW_PATIENTS, file, None, "label", finding, remedy))
    return findings


def too_few_patients(label: object, number: int, n_splits: int) -> tuple[str, str]:
    """Finding and remedy for a class with fewer patients than folds."""
    return (
        f"class '{label}' has fewer patients that are not external ({number}) than folds "
        f"(folds.n_splits={n_splits})",
        "add patients, or reduce folds.n_splits",
    )


def normal_path(image: str) -> str:
    """Normalise a path: 'a/../b', './b' and 'b' are equal, and so are composed and decomposed letters."""
    return unicodedata.normalize("NFC", posixpath.normpath(image)) if image else ""


def column_texts(rows: pd.DataFrame, column: str) -> dict[int, str]:
    """Row of the spreadsheet to text; '' for all rows if there is no such column."""
    values = rows[column].tolist() if column in rows.columns else [""] * len(rows)
    return dict(zip(rows.index.tolist(), values, strict=True))


def _contradictions(
    rows: pd.DataFrame, values: pd.Series, file: str, used: Sequence[str], kind: FindingKind
) -> list[Finding]:
    """Find patients with two values, each value at its first row.

    The finding is of `kind` if both values are in `used`, and of `OTHER_LABEL` if one of them is.
    """
    table = pd.DataFrame({"row": rows.index, "patient": rows["patient_id"].array, "value": values.array})
    table = table[(table["patient"] != "") & (table["value"] != "")].drop_duplicates(["patient", "value"])
    # Used values first, so that every other value is compared with a used one.
    table["unused"] = ~table["value"].isin(used)
    table = table[table.duplicated("patient", keep=False)].sort_values(["unused", "row"])
    findings = []
    for patient, group in table.groupby("patient", sort=False):
        if group["unused"].all():
            continue
        (first_row, first), *others = zip(group["row"].tolist(), group["value"].tolist(), strict=True)
        for row, value in others:
            finding = f"patient '{patient}' has {values.name} '{value}' here and '{first}' in row {first_row}"
            found = kind if value in used else OTHER_LABEL
            remedy = f"a patient has one {values.name}"
            findings.append(Finding(found, file, row, str(values.name), finding, remedy))
    return findings


def _repeated_images(rows: pd.DataFrame, file: str) -> list[Finding]:
    images, patients = column_texts(rows, "image"), column_texts(rows, "patient_id")
    first_row: dict[str, int] = {}
    findings = []
    for row, image in images.items():
        first = first_row.setdefault(normal_path(image), row)
        if first == row or not image:
            continue
        if patients[first] != patients[row]:
            fault = f"is in row {first} under patient '{patients[first]}' and here under '{patients[row]}'"
            remedy = "keep the correct row"
        else:
            fault, remedy = f"is already in row {first}", "keep one of the rows"
        spelling = "" if images[first] == image else f" (as '{images[first]}')"
        finding = f"the image '{image}' {fault}{spelling}"
        findings.append(Finding(REPEATED_IMAGE, file, row, "image", finding, remedy))
    return findings


def _similar_values(values: pd.Series, file: str) -> list[Finding]:
    """Find values that differ only in case or blanks: perhaps one patient, or one label, in two spellings.

    Patients that differ in blanks are left to `check_similar_ids`.
    """
    is_id = values.name == "patient_id"
    distinct = values[values != ""].drop_duplicates()
    first_of: dict[str, tuple[int, str]] = {}
    findings = []
    for row, value in zip(distinct.index.tolist(), distinct.tolist(), strict=True):
        key = value.casefold() if is_id else "".join(value.casefold().split())
        first_row, first = first_of.setdefault(key, (row, value))
        if first_row != row:
            finding = f"'{value}' differs from '{first}' (row {first_row}) only in case or blanks"
            remedy = "use one spelling if they are the same"
            findings.append(Finding(SIMILAR_VALUES, file, row, str(values.name), finding, remedy))
    return findings


def _listed(labels: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(f"'{label}'" for label in labels[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
