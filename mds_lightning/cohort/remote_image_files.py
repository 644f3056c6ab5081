"""The remote files that a manifest lists: inside the root, existing, and not empty."""

import posixpath
import stat

import pandas as pd

from mds_lightning.cohort.finding import Finding
from mds_lightning.cohort.finding_kinds import UNREADABLE_ROOT
from mds_lightning.cohort.image_files import (
    Fault,
    all_absent,
    empty_file,
    existing_path,
    missing_file,
    not_a_file,
    outside_root,
)
from mds_lightning.cohort.name_suggestions import NameSuggestions
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_error import RemoteError
from mds_lightning.cohort.remote_folder import RemoteFolder


def find_remote_files(
    names: pd.Series, root: RemoteFolder, file: str
) -> tuple[dict[int, File], list[Finding]]:
    """Look for every remote file that a column lists, by listing their folders.

    Args:
        names: Paths relative to `root`, '' where none. The index is the row of the spreadsheet.
        root: Folder that the paths are relative to.
        file: The manifest, for the findings.

    Returns:
        Row of the spreadsheet to existing file, and a finding for every other.
    """
    column = str(names.name)
    named = names[names != ""]
    outside = {row: outside_root(name, root) for row, name in named.items()}
    inside = [name for row, name in named.items() if outside[row] is None]
    found: dict[int, File] = {}
    findings: list[Finding] = []
    suggestions = NameSuggestions(lambda folder: _names(root, folder))
    try:
        root.list_folders({posixpath.dirname(posixpath.normpath(name)) for name in inside})
        for row, name in zip(named.index.tolist(), named.tolist(), strict=True):
            fault = outside[row] or _fault(name, root, suggestions)
            if fault is None:
                found[row] = existing_path(root, name)
            else:
                kind, finding, remedy = fault
                findings.append(Finding(kind, file, row, column, finding, remedy))
    except RemoteError as error:
        return {}, [Finding(UNREADABLE_ROOT, file, None, column, error.finding, error.remedy)]
    return found, [*all_absent(named, suggestions, root, file), *findings]


def _fault(name: str, root: RemoteFolder, suggestions: NameSuggestions) -> Fault | None:
    try:
        status = existing_path(root, name).stat()
    except FileNotFoundError:
        return missing_file(name, root, suggestions)
    if not stat.S_ISREG(status.st_mode):
        return not_a_file(name)
    if status.st_size == 0:
        return empty_file(name)
    return None


def _names(root: RemoteFolder, folder: str) -> list[str]:
    names = sorted(root.entries(folder))
    if not names:
        raise FileNotFoundError(folder)
    return names
