"""Reading of a manifest: the table of images, patients and labels, validated as a whole."""

import hashlib
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.clinical_cells import check_clinical, parse_clinical
from mds_lightning.cohort.consistency import check_consistency, check_task
from mds_lightning.cohort.duplicate_images import find_duplicate_files
from mds_lightning.cohort.finding import CohortError, Finding, has_errors
from mds_lightning.cohort.finding_kinds import EMPTY_MANIFEST, IGNORABLE, UNREADABLE_ROOT
from mds_lightning.cohort.image_files import existing_path, find_files
from mds_lightning.cohort.manifest_cells import KNOWN, clean_cells, parse_external
from mds_lightning.cohort.manifest_schema import check_schema
from mds_lightning.cohort.manifest_table import read_table
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.cohort.patient_ids import check_rounded_ids
from mds_lightning.cohort.remote_error import RemoteError
from mds_lightning.cohort.remote_folder import RemoteFolder
from mds_lightning.cohort.remote_image_files import find_remote_files
from mds_lightning.cohort.task import Task

log = logging.getLogger(__name__)

#: Columns that determine the split of the patients.
HASHED = ("image", "patient_id", "label", "site", "external")
#: Number of warnings that are logged one by one.
_MAX_WARNINGS = 5


@dataclass(frozen=True, eq=False)
class Cohort:
    """The images of a task, with their patients.

    Attributes:
        table: One row for each image, numbered from 0: image, patient_id, label, site ('' if absent) as text,
            external as bool; mask and boxes as text, if present; every other column unchanged (numbers as
            numbers).
        manifest: The file that it was read from.
        root: Folder that `image` and `mask` are relative to; it may be remote.
        ignored: Label to number of rows with a label that the task does not use, which are not in `table`.
    """

    table: pd.DataFrame
    manifest: File
    root: Folder
    ignored: Mapping[str, int]

    def path(self, image: str) -> File:
        """The file of `image` (or of a mask), in the Unicode normal form of its name on disk."""
        return existing_path(self.root, image)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the columns that determine the split, independent of the order of rows."""
        records = sorted(self.table[list(HASHED)].astype({"external": bool}).values.tolist())
        return hashlib.sha256(json.dumps(records).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Inspection:
    """The result of reading a manifest, whether or not it can be used.

    Attributes:
        findings: Every error and warning, in the order of the rows.
        rows: All rows that could be read; the index is the row of the spreadsheet.
        images: Row of the spreadsheet to the file of the image, where it exists.
        masks: Row of the spreadsheet to the file of the mask, where it exists.
        cohort: The cohort, or None if a finding is an error.
    """

    findings: tuple[Finding, ...]
    rows: pd.DataFrame
    images: Mapping[int, File]
    masks: Mapping[int, File]
    cohort: Cohort | None


def read_cohort(
    manifest: File,
    task: Task,
    root: Folder | None = None,
    n_splits: int = 1,
    ignored: Collection[str] = (),
) -> Cohort:
    """Read a manifest and validate it, except for the pixels of its images.

    Args:
        manifest: CSV (UTF-8; comma, semicolon or tab) or Parquet file.
        task: Rows with other labels are dropped, counted in `ignored` and logged.
        root: Folder that `image` is relative to; None: the folder of the manifest.
        n_splits: Least number of patients that are not external in each class.
        ignored: Codes of findings that are known to be wrong (see `finding_kinds.IGNORABLE`).

    Raises:
        CohortError: The manifest has errors; all of them are in `findings`. Warnings are logged.
        ValueError: `ignored` has a code that cannot be ignored.
    """
    inspection = inspect_manifest(manifest, task, root, n_splits, ignored)
    warnings = [finding for finding in inspection.findings if finding.severity == "warning"]
    for warning in warnings[:_MAX_WARNINGS]:
        log.warning("%s", warning)
    if len(warnings) > _MAX_WARNINGS:
        log.warning("%d more warnings: `mds-lightning check` lists them", len(warnings) - _MAX_WARNINGS)
    if inspection.cohort is None:
        raise CohortError([finding for finding in inspection.findings if finding.severity == "error"])
    for label, number in inspection.cohort.ignored.items():
        log.info("dropped %d rows with label '%s', which task '%s' does not use", number, label, task.name)
    return inspection.cohort


def inspect_manifest(
    manifest: File,
    task: Task,
    root: Folder | None = None,
    n_splits: int = 1,
    ignored: Collection[str] = (),
) -> Inspection:
    """Like `read_cohort`, but return all findings, except the ignored ones, instead of raising."""
    _refuse_unignorable(ignored)
    file = str(manifest)
    raw = read_table(manifest)
    root = manifest.parent if root is None else root
    findings = list(raw.findings)
    if not len(raw.frame.columns):
        if not has_errors(findings):
            finding, remedy = "has no column names in its first row", "write image,patient_id,label there"
            findings.append(Finding(EMPTY_MANIFEST, file, 1, None, finding, remedy))
        return Inspection(tuple(findings), raw.frame, {}, {}, None)
    rows, cell_findings = clean_cells(raw.frame, file)
    findings += cell_findings
    findings += check_schema(rows, file)
    if "patient_id" in raw.frame.columns:
        findings += check_rounded_ids(raw.frame["patient_id"], file)
    if rows.empty:
        finding, remedy = "has a header but no rows", "add one row for each image"
        findings.append(Finding(EMPTY_MANIFEST, file, None, None, finding, remedy))
        return Inspection(tuple(findings), rows, {}, {}, None)
    findings += check_consistency(rows, file, task)
    findings += check_clinical(rows[rows["label"].isin(task.classes)] if "label" in rows else rows, file)
    findings += check_task(rows, file, task, n_splits)
    images, masks = _files(rows, root, file, findings)
    findings = _without(findings, ignored)
    findings = sorted(dict.fromkeys(findings), key=lambda finding: finding.row or 0)
    cohort = None if has_errors(findings) else _cohort(rows, manifest, root, task)
    return Inspection(tuple(findings), rows, images, masks, cohort)


def _refuse_unignorable(codes: Collection[str]) -> None:
    for code in codes:
        if code not in IGNORABLE:
            raise ValueError(
                f"cohort.ignore: {code} cannot be ignored; only findings that may be wrong can be: "
                f"{', '.join(IGNORABLE)}"
            )


def _without(findings: Sequence[Finding], codes: Collection[str]) -> list[Finding]:
    kept = [finding for finding in findings if finding.code not in codes]
    if number := len(findings) - len(kept):
        log.info("ignored %d findings with the codes %s (cohort.ignore)", number, ", ".join(codes))
    return kept


def _files(
    rows: pd.DataFrame, root: Folder, file: str, findings: list[Finding]
) -> tuple[dict[int, File], dict[int, File]]:
    """Existing images and masks, by row; findings on the other files are appended to `findings`."""
    fault = _root_fault(root)
    if fault is not None:
        findings.append(Finding(UNREADABLE_ROOT, file, None, "image", *fault))
        return {}, {}
    found: dict[str, dict[int, File]] = {"image": {}, "mask": {}}
    for column in (name for name in found if name in rows.columns):
        if isinstance(root, RemoteFolder):
            found[column], column_findings = find_remote_files(rows[column], root, file)
            findings += column_findings
            continue
        files, column_findings = find_files(rows[column], root, file)
        findings += column_findings
        if column == "image":
            findings += find_duplicate_files(files, rows, file)
        found[column] = {named.row: Path(named.path) for named in files}
    return found["image"], found["mask"]


def _root_fault(root: Folder) -> tuple[str, str] | None:
    """Finding and remedy if the root cannot be used."""
    try:
        if root.is_dir():
            return None
    except RemoteError as error:
        return f"cohort.root={error.finding}", error.remedy
    fault = "is not a folder" if isinstance(root, Path) else "is not a bucket or folder, or it is empty"
    return f"cohort.root={root} {fault}", "correct it"


def _cohort(rows: pd.DataFrame, manifest: File, root: Folder, task: Task) -> Cohort:
    kept = rows["label"].isin(task.classes)
    ignored = rows.loc[~kept, "label"].value_counts().sort_index()
    table = rows[kept].reset_index(drop=True)
    table["site"] = table["site"] if "site" in table.columns else ""
    table["external"] = parse_external(table["external"]) if "external" in table.columns else False
    for column in (name for name in table.columns if name not in KNOWN):
        table[column] = parse_clinical(table[column])
    return Cohort(table, manifest, root, {str(label): int(number) for label, number in ignored.items()})
