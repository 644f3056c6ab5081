"""The objects that a manifest names in a remote folder: inside it, there, and not empty."""

import posixpath
import stat

import pandas as pd

from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.image_files import all_absent, existing_path, refused_name
from mds_lightning.cohort.name_suggestions import NearNames
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_error import RemoteError
from mds_lightning.cohort.remote_folder import RemoteFolder


def find_objects(names: pd.Series, root: RemoteFolder, file: str) -> tuple[dict[int, File], list[Complaint]]:
    """Look for every object that a column names, by listing the folders that they lie in.

    Args:
        names: Paths relative to `root`, '' where none. The index is the row of the spreadsheet.
        root: Folder that the paths start from.
        file: The manifest, for the complaints.

    Returns:
        Row to the objects that are there, and a complaint for every other.
    """
    column = str(names.name)
    named = names[names != ""]
    refused = {row: refused_name(name, root) for row, name in named.items()}
    inside = [name for row, name in named.items() if refused[row] is None]
    found: dict[int, File] = {}
    complaints: list[Complaint] = []
    hints = NearNames(lambda folder: _names(root, folder))
    try:
        root.list_folders({posixpath.dirname(posixpath.normpath(name)) for name in inside})
        for row, name in zip(named.index.tolist(), named.tolist(), strict=True):
            fault = refused[row] or _fault(name, root, hints)
            if fault is None:
                found[row] = existing_path(root, name)
            else:
                complaints.append(Complaint("error", file, row, column, fault))
    except RemoteError as error:
        return {}, [Complaint("error", file, None, column, str(error))]
    return found, [*all_absent(named, hints, root, file), *complaints]


def _fault(name: str, root: RemoteFolder, hints: NearNames) -> str | None:
    try:
        status = existing_path(root, name).stat()
    except FileNotFoundError:
        return f"'{name}' is not under {root}{hints.near(name)}"
    if not stat.S_ISREG(status.st_mode):
        return f"'{name}' is not a file: name the file itself"
    if status.st_size == 0:
        return f"'{name}' is an empty file (0 bytes): copy it again"
    return None


def _names(root: RemoteFolder, folder: str) -> list[str]:
    names = sorted(root.entries(folder))
    if not names:
        raise FileNotFoundError(folder)
    return names
