"""The files that a manifest names: inside the root, there, and not empty."""

import os
import posixpath
import re
import stat
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.consistency import normal_path
from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.name_suggestions import NearNames
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.cohort.remote_folder import RemoteFolder

_WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True)
class NamedFile:
    """One file that a row names and that is there: `identity` is the same for two names of one file."""

    row: int
    path: str
    size: int
    identity: tuple[int, int]


def existing_path(root: Folder, name: str) -> File:
    """`root / name` in the Unicode normal form (NFC, NFD) that each of its parts has on disk.

    Where no form exists, `root / name`.
    """
    if isinstance(root, RemoteFolder):
        return root.spelled(posixpath.normpath(name))
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
    hints = NearNames(lambda folder: sorted(entry.name for entry in (root / folder).iterdir()))
    named = names[names != ""]
    for row, name in zip(named.index.tolist(), named.tolist(), strict=True):
        result = _look(row, name, root, folder_inside, hints)
        if isinstance(result, NamedFile):
            found.append(result)
        else:
            complaints.append(Complaint("error", file, row, column, result))
    complaints = [*all_absent(named, hints, root, file), *complaints]
    return found, complaints


def refused_name(name: str, root: Folder) -> str | None:
    """Why a name does not stay inside the root, as far as the name shows it."""
    if name.startswith("/") or _WINDOWS_ABSOLUTE.match(name):
        return f"'{name}' is absolute: give it relative to {root}, or set cohort.root"
    if ".." in name and normal_path(name).split("/")[0] == "..":
        return f"'{name}' climbs out of {root}: set cohort.root to a folder that holds all images"
    return None


def all_absent(named: pd.Series, hints: NearNames, root: Folder, file: str) -> list[Complaint]:
    """One complaint more, ahead of the others, where no image was found: the root may be another."""
    if named.name != "image" or not hints.absent == len(named) > 1:
        return []
    message = (
        f"none of {len(named)} images is under {root}: "
        "set cohort.root to the folder that their paths are relative to"
    )
    return [Complaint("error", file, None, "image", message)]


def _look(
    row: int, name: str, root: Path, folder_inside: Callable[[str], bool], hints: NearNames
) -> NamedFile | str:
    """The file, or what is wrong with its name."""
    refused = refused_name(name, root)
    if refused is not None:
        return refused
    # Strings, not Paths: there may be a hundred thousand.
    path = f"{root}/{name}" if name.isascii() else str(existing_path(root, name))
    try:
        status = os.lstat(path)
        inside = folder_inside(path.rpartition("/")[0])
        if stat.S_ISLNK(status.st_mode):
            target = Path(path).resolve(strict=True)
            status = target.stat()
            inside = inside and folder_inside(str(target.parent))
    except (OSError, ValueError):
        return f"'{name}' is not under {root}{hints.near(name)}"
    if not stat.S_ISREG(status.st_mode):
        return f"'{name}' is not a file: name the file itself"
    if not inside:
        return f"'{name}' is a link that leads out of {root}: copy the file into it, or set cohort.root"
    if status.st_size == 0:
        return f"'{name}' is an empty file (0 bytes): copy it again"
    return NamedFile(row, path, status.st_size, (status.st_dev, status.st_ino))


def _folder_check(root: Path) -> Callable[[str], bool]:
    true_root = Path(os.path.realpath(root))

    def inside(folder: str) -> bool:
        return Path(os.path.realpath(folder)).is_relative_to(true_root)

    return inside
