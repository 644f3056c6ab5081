"""Where a user says that a file or a folder is: a path, or the URL of a remote one."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from mds_lightning.cohort.remote_folder import RemoteFile, RemoteFolder

File = Path | RemoteFile
Folder = Path | RemoteFolder

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://")


def locate_file(text: str, key: str) -> File:
    """The file at a path or URL, whether it is there or not.

    Args:
        text: What the user gave.
        key: Under which key.

    Raises:
        ValueError: A URL that names no remote file.
    """
    if not _URL.match(text):
        return Path(text)
    _refuse(text, key)
    folder, _, name = text.rpartition("/")
    if not name or folder.endswith("/"):
        raise ValueError(
            f"{key}={text} names no file in a bucket or folder: write it as s3://BUCKET/FOLDER/FILE"
        )
    return RemoteFolder(folder) / name


def locate_folder(text: str, key: str) -> Folder:
    """Likewise the folder.

    Raises:
        ValueError: A URL that names no remote folder.
    """
    if not _URL.match(text):
        return Path(text)
    _refuse(text, key)
    if text.rstrip("/").endswith(":"):
        raise ValueError(f"{key}={text} names no bucket or folder: write it as s3://BUCKET/FOLDER")
    return RemoteFolder(text)


def _refuse(url: str, key: str) -> None:
    if url.lower().startswith(("file://", "local://")):
        raise ValueError(f"{key}={url} is on this machine: give its path alone, without the part up to ://")
    if "::" in url:
        raise ValueError(
            f"{key}={url} chains several places with ::, which is not supported: unpack it first"
        )
    if urlsplit(url).password is not None:
        raise ValueError(
            f"{key} has a password in its URL, which every run would write into its config.yaml: give it in "
            "the environment or in fsspec's configuration"
        )
