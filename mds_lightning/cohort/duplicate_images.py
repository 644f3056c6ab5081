"""Detection of photographs that a cohort contains twice, by their bytes."""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.consistency import column_texts, normal_path
from mds_lightning.cohort.finding import Finding, FindingKind
from mds_lightning.cohort.finding_kinds import (
    DUPLICATE_PHOTOGRAPH,
    PHOTOGRAPH_OF_TWO_PATIENTS,
    SAME_FILE,
    UNREADABLE_FILE,
)
from mds_lightning.cohort.image_files import ListedFile

#: Bytes of the start and of the middle that are compared before whole files.
_PROBE = 1 << 14


def find_duplicate_files(files: Iterable[ListedFile], rows: pd.DataFrame, file: str) -> list[Finding]:
    """Find photographs that occur twice: an error for two patients or for one file, otherwise a warning.

    Only files of equal size are opened, and only those with equal start and middle are read completely.

    Args:
        files: Files of the images.
        rows: With columns image and patient_id; the index is the row of the spreadsheet.
        file: The manifest, for the findings.
    """
    findings: list[Finding] = []
    # Two rows with one path are found by `consistency`.
    images, patients = column_texts(rows, "image"), column_texts(rows, "patient_id")
    rows_of_first: dict[str, int] = {}
    for row, image in images.items():
        rows_of_first.setdefault(normal_path(image), row)
    firsts = set(rows_of_first.values())
    candidates = [named for named in files if named.row in firsts]

    def unreadable(named: ListedFile, error: OSError) -> None:
        finding = f"'{images[named.row]}' cannot be read ({error.strerror})"
        findings.append(Finding(UNREADABLE_FILE, file, named.row, "image", finding, "check its permissions"))

    groups = _groups(candidates, lambda named: named.size)
    for key in (_probe, _digest):
        groups = [part for group in groups for part in _groups(group, key, unreadable)]
    for group in groups:
        for other in group[1:]:
            findings.append(_duplicate(group[0], other, images, patients, file))
    return findings


def find_duplicate_contents(
    contents: Mapping[int, str], rows: pd.DataFrame, file: str, numbered: bool = True
) -> list[Finding]:
    """As `find_duplicate_files`, for images whose bytes were hashed while they were decoded.

    Args:
        contents: Index of `rows` to hash.
        rows: With columns image and patient_id.
        file: The manifest, for the findings.
        numbered: Whether the index is the row of the spreadsheet, and can be reported.
    """
    first_of: dict[str, int] = {}
    images, patients = column_texts(rows, "image"), column_texts(rows, "patient_id")
    findings = []
    for row, content in contents.items():
        first = first_of.setdefault(content, row)
        if normal_path(images[first]) != normal_path(images[row]):
            earlier = f"'{images[first]}' in row {first}" if numbered else f"'{images[first]}'"
            image = f"'{images[row]}'"
            kind, *texts = _same_photograph(image, patients[row], earlier, patients[first])
            findings.append(Finding(kind, file, row if numbered else None, "image", *texts))
    return findings


def _groups(
    files: Iterable[ListedFile],
    key: Callable[[ListedFile], Hashable],
    failed: Callable[[ListedFile, OSError], None] | None = None,
) -> list[list[ListedFile]]:
    """Files with equal keys, as lists of two or more in the order of their rows."""
    groups: dict[Hashable, list[ListedFile]] = {}
    for named in files:
        try:
            groups.setdefault(key(named), []).append(named)
        except OSError as error:
            if failed is None:
                raise
            failed(named, error)
    return [group for group in groups.values() if len(group) > 1]


def _probe(named: ListedFile) -> tuple[bytes, bytes]:
    with Path(named.path).open("rb") as opened:
        start = opened.read(_PROBE)
        opened.seek(named.size // 2)
        return start, opened.read(_PROBE)


def _digest(named: ListedFile) -> bytes:
    with Path(named.path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def _duplicate(
    first: ListedFile, other: ListedFile, images: dict[int, str], patients: dict[int, str], file: str
) -> Finding:
    image, earlier = f"'{images[other.row]}'", f"'{images[first.row]}' in row {first.row}"
    kind, finding, remedy = _same_photograph(image, patients[other.row], earlier, patients[first.row])
    if kind is DUPLICATE_PHOTOGRAPH and first.identity == other.identity:
        kind, finding, remedy = SAME_FILE, f"{image} is the same file as {earlier}", "keep one of the rows"
    return Finding(kind, file, other.row, "image", finding, remedy)


def _same_photograph(
    image: str, patient: str, earlier: str, earlier_patient: str
) -> tuple[FindingKind, str, str]:
    """Kind, finding and remedy for a photograph that occurs under two patients, or twice under one."""
    if patient == earlier_patient:
        finding = f"{image} has the same bytes as {earlier}, so that it counts twice"
        return DUPLICATE_PHOTOGRAPH, finding, "keep one of the rows"
    finding = (
        f"{image} of patient '{patient}' is the same photograph (same bytes) as {earlier} of patient "
        f"'{earlier_patient}'"
    )
    return PHOTOGRAPH_OF_TWO_PATIENTS, finding, "keep it under one patient"
