"""The local files that a manifest lists: inside the root, existing, and not empty."""

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
from mds_lightning.cohort.finding import Finding, FindingKind
from mds_lightning.cohort.finding_kinds import (
    EMPTY_FILE,
    MISSING_FILE,
    NO_IMAGE_FOUND,
    NOT_A_FILE,
    PATH_OUTSIDE_ROOT,
)
from mds_lightning.cohort.name_suggestions import NameSuggestions
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.cohort.remote_folder import RemoteFolder

#: Kind, finding and remedy of a path that cannot be used.
Fault = tuple[FindingKind, str, str]

_WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True)
class ListedFile:
    """An existing file that the manifest lists.

    Attributes:
        row: Row of the spreadsheet.
        path: Path of the file.
        size: Bytes.
        identity: (device, inode), equal for two names of one file.
    """

    row: int
    path: str
    size: int
    identity: tuple[int, int]


def existing_path(root: Folder, name: str) -> File:
    """`root / name` in the Unicode normal form (NFC or NFD) in which each component exists on disk.

    If none exists, `root / name`.
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


def file_inside(root: Folder, name: str) -> File | None:
    """The existing file `name` in `root`; None if there is none, or if it is outside of `root`.

    Names in a finished study are not trusted: neither `..`, an absolute path nor a link leads out of `root`.

    Args:
        root: Folder of the images.
        name: Path relative to it.
    """
    if outside_root(name, root) is not None:
        return None
    path = existing_path(root, name)
    if isinstance(path, Path) and isinstance(root, Path):
        try:
            is_inside = path.resolve(strict=True).is_relative_to(root.resolve())
        except (OSError, ValueError, RuntimeError):  # missing, a name with a null character, a loop of links
            return None
        if not is_inside:
            return None
    return path if path.is_file() else None


def find_files(names: pd.Series, root: Path, file: str) -> tuple[list[ListedFile], list[Finding]]:
    """Look for every file that a column lists.

    Args:
        names: Paths relative to `root`, '' where none. The index is the row of the spreadsheet.
        root: Folder that the paths are relative to.
        file: The manifest, for the findings.

    Returns:
        The existing files, and a finding for every other.
    """
    column = str(names.name)
    findings: list[Finding] = []
    found: list[ListedFile] = []
    folder_inside = cache(_folder_check(root))
    suggestions = NameSuggestions(lambda folder: sorted(entry.name for entry in (root / folder).iterdir()))
    named = names[names != ""]
    for row, name in zip(named.index.tolist(), named.tolist(), strict=True):
        result = _find(row, name, root, folder_inside, suggestions)
        if isinstance(result, ListedFile):
            found.append(result)
        else:
            kind, finding, remedy = result
            findings.append(Finding(kind, file, row, column, finding, remedy))
    findings = [*all_absent(named, suggestions, root, file), *findings]
    return found, findings


def outside_root(name: str, root: Folder) -> Fault | None:
    """The fault of a path that leads outside the root, as far as the path itself shows it."""
    if name.startswith("/") or _WINDOWS_ABSOLUTE.match(name):
        remedy = f"give it relative to {root}, or set cohort.root"
        return PATH_OUTSIDE_ROOT, f"'{name}' is absolute", remedy
    if ".." in name and normal_path(name).split("/")[0] == "..":
        remedy = "set cohort.root to a folder that contains all images"
        return PATH_OUTSIDE_ROOT, f"'{name}' leads outside {root}", remedy
    return None


def missing_file(name: str, root: Folder, suggestions: NameSuggestions) -> Fault:
    """The fault of a file that does not exist."""
    finding, remedy = suggestions.explain(name)
    return MISSING_FILE, f"'{name}' is not under {root}{finding}", remedy


def not_a_file(name: str) -> Fault:
    """The fault of a folder or a special file."""
    return NOT_A_FILE, f"'{name}' is not a regular file", "give the path of the image itself"


def empty_file(name: str) -> Fault:
    """The fault of a file of 0 bytes."""
    return EMPTY_FILE, f"'{name}' is an empty file (0 bytes)", "copy it again"


def all_absent(named: pd.Series, suggestions: NameSuggestions, root: Folder, file: str) -> list[Finding]:
    """A finding for the whole file if no image exists, because the root may be wrong."""
    if named.name != "image" or not suggestions.absent == len(named) > 1:
        return []
    finding = f"none of {len(named)} images is under {root}"
    remedy = "set cohort.root to the folder that their paths are relative to"
    return [Finding(NO_IMAGE_FOUND, file, None, "image", finding, remedy)]


def _find(
    row: int, name: str, root: Path, folder_inside: Callable[[str], bool], suggestions: NameSuggestions
) -> ListedFile | Fault:
    """The file, or the fault of its path."""
    outside = outside_root(name, root)
    if outside is not None:
        return outside
    # Strings instead of Paths, which are slower: there may be a hundred thousand.
    path = f"{root}/{name}" if name.isascii() else str(existing_path(root, name))
    try:
        status = os.lstat(path)
        inside = folder_inside(path.rpartition("/")[0])
        if stat.S_ISLNK(status.st_mode):
            target = Path(path).resolve(strict=True)
            status = target.stat()
            inside = inside and folder_inside(str(target.parent))
    except (OSError, ValueError):
        return missing_file(name, root, suggestions)
    if not stat.S_ISREG(status.st_mode):
        return not_a_file(name)
    if not inside:
        remedy = "copy the file into it, or set cohort.root"
        return PATH_OUTSIDE_ROOT, f"'{name}' is a link that leads outside {root}", remedy
    if status.st_size == 0:
        return empty_file(name)
    return ListedFile(row, path, status.st_size, (status.st_dev, status.st_ino))


def _folder_check(root: Path) -> Callable[[str], bool]:
    true_root = Path(os.path.realpath(root))

    def inside(folder: str) -> bool:
        return Path(os.path.realpath(folder)).is_relative_to(true_root)

    return inside
