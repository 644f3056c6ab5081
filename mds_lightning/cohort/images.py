"""The files that a manifest names: inside the root, there, readable, and no photograph under two patients."""

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.complaint import Complaint
from mds_lightning.cohort.consistency import normal_path, texts

_WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
#: Bytes of the start and of the middle that are compared before whole files are.
_PROBE = 1 << 14
#: Near names are looked for in the first so many faults, and in folders of at most so many files.
_MOST_HINTS, _MOST_NAMES = 50, 20_000


@dataclass(frozen=True)
class NamedFile:
    """One file that a row names and that is there: `identity` is the same for two names of one file."""

    row: int
    path: Path
    size: int
    identity: tuple[int, int]


def existing_path(root: Path, name: str) -> Path:
    """`root / name` in the Unicode normal form (NFC, NFD) that each of its parts has on disk.

    Where no form exists, `root / name`.
    """
    path = root / name
    if name.isascii() or path.exists():
        return path
    found = root
    for part in Path(name).parts:
        spellings = [part, *(unicodedata.normalize(form, part) for form in ("NFC", "NFD"))]
        found = next(
            (found / spelling for spelling in spellings if (found / spelling).exists()), found / part
        )
    return found


def find_files(names: pd.Series, root: Path, file: str) -> tuple[list[NamedFile], list[Complaint]]:
    """Look for every file that a column names.

    Args:
        names: Paths relative to `root`, '' where none. The index is the row of the spreadsheet.
        root: Folder that the paths start from.
        file: The manifest, for the complaints.

    Returns:
        The files that are there, and a complaint for every other.
    """
    column = str(names.name)
    complaints: list[Complaint] = []
    found: list[NamedFile] = []
    folder_inside = cache(_folder_check(root))
    hints = _Hints(root)
    named = names[names != ""]
    for row, name in zip(named.index.tolist(), named.tolist(), strict=True):
        result = _look(row, name, root, folder_inside, hints)
        if isinstance(result, NamedFile):
            found.append(result)
        else:
            complaints.append(Complaint("error", file, row, column, result))
    if column == "image" and hints.absent == len(named) > 1:
        message = (
            f"none of {len(named)} images is under {root}: "
            "set cohort.root to the folder that their paths are relative to"
        )
        complaints.insert(0, Complaint("error", file, None, column, message))
    return found, complaints


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


def _look(
    row: int, name: str, root: Path, folder_inside: Callable[[str], bool], hints: "_Hints"
) -> NamedFile | str:
    """The file, or what is wrong with its name."""
    if Path(name).is_absolute() or _WINDOWS_ABSOLUTE.match(name):
        return f"'{name}' is absolute: give it relative to {root}, or set cohort.root"
    if normal_path(name).split("/")[0] == "..":
        return f"'{name}' climbs out of {root}: set cohort.root to a folder that holds all images"
    path = existing_path(root, name)
    try:
        status = os.lstat(path)
        inside = folder_inside(str(path.parent))
        if inside and stat.S_ISLNK(status.st_mode):
            target = path.resolve(strict=True)
            status = target.stat()
            inside = folder_inside(str(target.parent))
    except (OSError, ValueError):
        return f"'{name}' is not under {root}{hints.near(name)}"
    if not inside:
        return f"'{name}' is a link that leads out of {root}: copy the file into it, or set cohort.root"
    if not stat.S_ISREG(status.st_mode):
        return f"'{name}' is not a file: name the file itself"
    if status.st_size == 0:
        return f"'{name}' is an empty file (0 bytes): copy it again"
    return NamedFile(row, path, status.st_size, (status.st_dev, status.st_ino))


def _folder_check(root: Path) -> Callable[[str], bool]:
    true_root = Path(os.path.realpath(root))

    def inside(folder: str) -> bool:
        return Path(os.path.realpath(folder)).is_relative_to(true_root)

    return inside


class _Hints:
    """What may have been meant by the name of a file that is not there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.absent = 0
        self._names = cache(self._list)

    def near(self, name: str) -> str:
        """A remark that follows the complaint, such as `: did you mean 'a.png'?`."""
        self.absent += 1
        if "\\" in name and (self.root / name.replace("\\", "/")).exists():
            return ": write / instead of \\ in paths"
        folder, _, last = name.rpartition("/")
        names = self._names(folder)
        if names is None:
            return f": there is no folder '{folder}'"
        stem = Path(last).stem.casefold()
        match = names.get(stem)
        if match is None and self.absent <= _MOST_HINTS and len(names) <= _MOST_NAMES:
            close = get_close_matches(stem, names, n=1, cutoff=0.8)
            match = names[close[0]] if close else None
        if match is None:
            return ": restore the file, or remove the row"
        return f": did you mean '{folder}/{match}'?" if folder else f": did you mean '{match}'?"

    def _list(self, folder: str) -> dict[str, str] | None:
        try:
            entries = sorted((self.root / folder).iterdir())
            return {entry.stem.casefold(): entry.name for entry in entries}
        except (OSError, ValueError):
            return None


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
    with named.path.open("rb") as opened:
        start = opened.read(_PROBE)
        opened.seek(named.size // 2)
        return start, opened.read(_PROBE)


def _digest(named: NamedFile) -> bytes:
    with named.path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def _twice(
    first: NamedFile, other: NamedFile, images: dict[int, str], patients: dict[int, str], file: str
) -> Complaint:
    image, earlier = images[other.row], f"'{images[first.row]}' in row {first.row}"
    if patients[first.row] != patients[other.row]:
        message = (
            f"'{image}' of patient '{patients[other.row]}' is the same photograph (same bytes) as {earlier} "
            f"of patient '{patients[first.row]}': keep it under one patient"
        )
    elif first.identity == other.identity:
        message = f"'{image}' is the same file as {earlier}: keep one of the rows"
    else:
        message = f"'{image}' has the same bytes as {earlier}: it counts twice"
        return Complaint("warning", file, other.row, "image", message)
    return Complaint("error", file, other.row, "image", message)
