"""Paths and URLs of files and folders, as given by the user."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from mds_lightning.cohort.remote_folder import RemoteFile, RemoteFolder

File = Path | RemoteFile
Folder = Path | RemoteFolder

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://")


def is_url(text: str) -> bool:
    """Whether a text is an address and not a path on this machine."""
    return _URL.match(text) is not None


def locate_file(text: str, key: str) -> File:
    """The file at a path or URL, which need not exist.

    Args:
        text: Path or URL.
        key: Configuration key of `text`, for messages.

    Raises:
        ValueError: The URL does not name a remote file.
    """
    if not is_url(text):
        return Path(text)
    _refuse(text, key)
    folder, _, name = text.rpartition("/")
    if not name or folder.endswith("/"):
        raise ValueError(
            f"{key}={text} does not name a file in a bucket or folder: write s3://BUCKET/FOLDER/FILE"
        )
    return RemoteFolder(folder) / name


def locate_folder(text: str, key: str) -> Folder:
    """The folder at a path or URL, which need not exist.

    Args:
        text: Path or URL.
        key: Configuration key of `text`, for messages.

    Raises:
        ValueError: The URL does not name a remote folder.
    """
    if not is_url(text):
        return Path(text)
    _refuse(text, key)
    if text.rstrip("/").endswith(":"):
        raise ValueError(f"{key}={text} does not name a bucket or folder: write s3://BUCKET/FOLDER")
    return RemoteFolder(text)


def _refuse(url: str, key: str) -> None:
    if url.lower().startswith(("file://", "local://")):
        raise ValueError(f"{key}={url} is on this machine: give its path without the scheme before ://")
    if "::" in url:
        raise ValueError(
            f"{key}={url} is a chained URL (::), which is not supported: unpack the archive first"
        )
    if urlsplit(url).password is not None:
        raise ValueError(
            f"{key} contains a password, which every run would write into its config.yaml: set it in "
            "the environment or in fsspec's configuration"
        )
