"""A cohort: the table of images, patients and labels, read from a manifest and found without fault."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.consistency import consistency_complaints, task_complaints
from mds_lightning.cohort.duplicate_images import same_bytes_complaints
from mds_lightning.cohort.finding import CohortError, Complaint
from mds_lightning.cohort.image_files import existing_path, find_files
from mds_lightning.cohort.manifest_cells import KNOWN, clean_cells, parse_clinical, parse_external
from mds_lightning.cohort.manifest_schema import schema_complaints
from mds_lightning.cohort.manifest_table import read_table
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.cohort.remote_error import RemoteError
from mds_lightning.cohort.remote_folder import RemoteFolder
from mds_lightning.cohort.remote_image_files import find_objects
from mds_lightning.cohort.task import Task

log = logging.getLogger(__name__)

#: Columns that decide who is in a study and how patients are split.
HASHED = ("image", "patient_id", "label", "site", "external")
#: So many warnings are logged one by one.
_MOST_WARNINGS = 5


@dataclass(frozen=True, eq=False)
class Cohort:
    """The images of a task, with their patients.

    Attributes:
        table: One row an image, numbered from 0: image, patient_id, label, site ('' if absent) as text,
            external as bool; mask and boxes as text, if given; every further column as it was (numbers as
            numbers).
        manifest: The file it was read from.
        root: Folder that `image` and `mask` are relative to, perhaps a remote one.
        ignored: Rows left out because the task does not name their label: label to number.
    """

    table: pd.DataFrame
    manifest: File
    root: Folder
    ignored: Mapping[str, int]

    def path(self, image: str) -> File:
        """The file of `image` (or of a mask), whichever Unicode normal form its name has on disk."""
        return existing_path(self.root, image)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over what decides the splits, whatever the order of the rows."""
        records = sorted(self.table[list(HASHED)].astype({"external": bool}).values.tolist())
        return hashlib.sha256(json.dumps(records).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Inspection:
    """All that was found in a manifest, whether or not it can be used.

    Attributes:
        complaints: Every fault and remark, in the order of the rows.
        rows: All rows of the manifest, as far as it could be read; the index is the row of the spreadsheet.
        images: Row of the spreadsheet to the image's file, where there is one.
        masks: Likewise of the mask.
        cohort: The cohort, or None where a complaint is an error.
    """

    complaints: tuple[Complaint, ...]
    rows: pd.DataFrame
    images: Mapping[int, File]
    masks: Mapping[int, File]
    cohort: Cohort | None


def read_cohort(manifest: File, task: Task, root: Folder | None = None, n_splits: int = 1) -> Cohort:
    """Read a manifest and check everything about it but the pixels of its images.

    Args:
        manifest: CSV (UTF-8; comma, semicolon or tab) or Parquet file.
        task: Rows with other labels are left out, counted in `ignored` and logged.
        root: Folder that `image` is relative to; None: the manifest's own.
        n_splits: Each class needs as many patients that are not external.

    Raises:
        CohortError: Something is wrong; it carries every complaint. Warnings are logged.
    """
    inspection = inspect_manifest(manifest, task, root, n_splits)
    warnings = [complaint for complaint in inspection.complaints if complaint.severity == "warning"]
    for warning in warnings[:_MOST_WARNINGS]:
        log.warning("%s", warning)
    if len(warnings) > _MOST_WARNINGS:
        log.warning("%d more warnings: `mds-lightning check` lists them", len(warnings) - _MOST_WARNINGS)
    if inspection.cohort is None:
        raise CohortError([complaint for complaint in inspection.complaints if complaint.severity == "error"])
    for label, number in inspection.cohort.ignored.items():
        log.info("left out %d rows with label '%s', which task '%s' does not name", number, label, task.name)
    return inspection.cohort


def inspect_manifest(manifest: File, task: Task, root: Folder | None = None, n_splits: int = 1) -> Inspection:
    """Like `read_cohort`, but return all that was found instead of raising."""
    file = str(manifest)
    raw = read_table(manifest)
    root = manifest.parent if root is None else root
    complaints = list(raw.complaints)
    if not len(raw.frame.columns):
        if not any(complaint.severity == "error" for complaint in complaints):
            message = "names no column in its first row: write image,patient_id,label there"
            complaints.append(Complaint("error", file, 1, None, message))
        return Inspection(tuple(complaints), raw.frame, {}, {}, None)
    rows, cell_complaints = clean_cells(raw.frame, file)
    complaints += cell_complaints
    if rows.empty:
        message = "has a header but no rows: add one row an image"
        complaints += [*schema_complaints(rows, file), Complaint("error", file, None, None, message)]
        return Inspection(tuple(complaints), rows, {}, {}, None)
    complaints += schema_complaints(rows, file)
    complaints += consistency_complaints(rows, file, task)
    complaints += task_complaints(rows, file, task, n_splits)
    images, masks = _files(rows, root, file, complaints)
    complaints = sorted(dict.fromkeys(complaints), key=lambda complaint: complaint.row or 0)
    cohort = None
    if not any(complaint.severity == "error" for complaint in complaints):
        cohort = _cohort(rows, manifest, root, task)
    return Inspection(tuple(complaints), rows, images, masks, cohort)


def _files(
    rows: pd.DataFrame, root: Folder, file: str, complaints: list[Complaint]
) -> tuple[dict[int, File], dict[int, File]]:
    """Images and masks that are there, by row; what is wrong with them is added to `complaints`."""
    fault = _root_fault(root)
    if fault is not None:
        complaints.append(Complaint("error", file, None, "image", fault))
        return {}, {}
    found: dict[str, dict[int, File]] = {"image": {}, "mask": {}}
    for column in (name for name in found if name in rows.columns):
        if isinstance(root, RemoteFolder):
            found[column], faults = find_objects(rows[column], root, file)
            complaints += faults
            continue
        files, faults = find_files(rows[column], root, file)
        complaints += faults
        if column == "image":
            complaints += same_bytes_complaints(files, rows, file)
        found[column] = {named.row: Path(named.path) for named in files}
    return found["image"], found["mask"]


def _root_fault(root: Folder) -> str | None:
    try:
        if root.is_dir():
            return None
    except RemoteError as error:
        return f"cohort.root={error}"
    what = "is not a folder" if isinstance(root, Path) else "is no bucket or folder, or holds nothing"
    return f"cohort.root={root} {what}: correct it"


def _cohort(rows: pd.DataFrame, manifest: File, root: Folder, task: Task) -> Cohort:
    kept = rows["label"].isin(task.classes)
    ignored = rows.loc[~kept, "label"].value_counts().sort_index()
    table = rows[kept].reset_index(drop=True)
    table["site"] = table["site"] if "site" in table.columns else ""
    table["external"] = parse_external(table["external"]) if "external" in table.columns else False
    for column in (name for name in table.columns if name not in KNOWN):
        table[column] = parse_clinical(table[column])
    return Cohort(table, manifest, root, {str(label): int(number) for label, number in ignored.items()})
