"""Photographs that a cohort holds twice, found by their bytes."""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from mds_lightning.cohort.consistency import normal_path, texts
from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.image_files import NamedFile

#: Bytes of the start and of the middle that are compared before whole files are.
_PROBE = 1 << 14


def same_bytes_complaints(files: Iterable[NamedFile], rows: pd.DataFrame, file: str) -> list[Complaint]:
    """Photographs that occur twice: an error under two patients or as one file, else a warning.

    Only files of equal size are opened, and only those with equal beginnings and middles are read to the end.
    """
    complaints: list[Complaint] = []
    # Two rows of one path are a matter of `consistency`.
    images, patients = texts(rows, "image"), texts(rows, "patient_id")
    rows_of_first: dict[str, int] = {}
    for row, image in images.items():
        rows_of_first.setdefault(normal_path(image), row)
    firsts = set(rows_of_first.values())
    candidates = [named for named in files if named.row in firsts]

    def unreadable(named: NamedFile, error: OSError) -> None:
        message = f"'{images[named.row]}' cannot be read ({error.strerror}): check its permissions"
        complaints.append(Complaint("error", file, named.row, "image", message))

    groups = _groups(candidates, lambda named: named.size)
    for key in (_probe, _digest):
        groups = [part for group in groups for part in _groups(group, key, unreadable)]
    for group in groups:
        for other in group[1:]:
            complaints.append(_twice(group[0], other, images, patients, file))
    return complaints


def same_content_complaints(
    contents: Mapping[int, str], rows: pd.DataFrame, file: str, numbered: bool = True
) -> list[Complaint]:
    """As `same_bytes_complaints`, of images whose bytes were read and hashed for another purpose.

    Args:
        contents: Index of `rows` to hash.
        rows: With columns image and patient_id.
        file: The manifest, for the complaints.
        numbered: Whether the index is the row of the spreadsheet, and may be told.
    """
    first_of: dict[str, int] = {}
    images, patients = texts(rows, "image"), texts(rows, "patient_id")
    complaints = []
    for row, content in contents.items():
        first = first_of.setdefault(content, row)
        if normal_path(images[first]) != normal_path(images[row]):
            earlier = f"'{images[first]}' in row {first}" if numbered else f"'{images[first]}'"
            severity, message = _same_photograph(f"'{images[row]}'", patients[row], earlier, patients[first])
            complaints.append(Complaint(severity, file, row if numbered else None, "image", message))
    return complaints


def _groups(
    files: Iterable[NamedFile],
    key: Callable[[NamedFile], Hashable],
    failed: Callable[[NamedFile, OSError], None] | None = None,
) -> list[list[NamedFile]]:
    """Files with equal keys, as lists of two or more in the order of their rows."""
    groups: dict[Hashable, list[NamedFile]] = {}
    for named in files:
        try:
            groups.setdefault(key(named), []).append(named)
        except OSError as error:
            if failed is None:
                raise
            failed(named, error)
    return [group for group in groups.values() if len(group) > 1]


def _probe(named: NamedFile) -> tuple[bytes, bytes]:
    with Path(named.path).open("rb") as opened:
        start = opened.read(_PROBE)
        opened.seek(named.size // 2)
        return start, opened.read(_PROBE)


def _digest(named: NamedFile) -> bytes:
    with Path(named.path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def _twice(
    first: NamedFile, other: NamedFile, images: dict[int, str], patients: dict[int, str], file: str
) -> Complaint:
    image, earlier = f"'{images[other.row]}'", f"'{images[first.row]}' in row {first.row}"
    severity, message = _same_photograph(image, patients[other.row], earlier, patients[first.row])
    if severity == "warning" and first.identity == other.identity:
        severity, message = "error", f"{image} is the same file as {earlier}: keep one of the rows"
    return Complaint(severity, file, other.row, "image", message)


def _same_photograph(
    image: str, patient: str, earlier: str, earlier_patient: str
) -> tuple[Literal["error", "warning"], str]:
    """Severity and message: under two patients it is an error, under one it counts twice."""
    if patient == earlier_patient:
        return "warning", f"{image} has the same bytes as {earlier}: it counts twice"
    return "error", (
        f"{image} of patient '{patient}' is the same photograph (same bytes) as {earlier} of patient "
        f"'{earlier_patient}': keep it under one patient"
    )
