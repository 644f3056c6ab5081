"""What a listing tells of a remote file: its size, and what changes when it does."""

import hashlib
import stat
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from mds_lightning.cohort.remote_error import RemoteError

#: What a listing tells that changes whenever an object is written, and what tells only when.
_VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "generation")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


class RemoteStatus(NamedTuple):
    """The fields of `os.stat_result` that tell whether a file has changed.

    `st_ino` stands for the object's version. The times are 0 where the version alone is sure.
    """

    st_mode: int
    st_size: int
    st_ino: int
    st_mtime_ns: int
    st_ctime_ns: int


def remote_status(entry: Mapping[str, Any]) -> RemoteStatus:
    """From one entry of a listing of fsspec.

    Raises:
        RemoteError: It does not tell the size.
    """
    if entry.get("type") == "directory":
        return RemoteStatus(stat.S_IFDIR, 0, 0, 0, 0)
    if entry.get("size") is None:
        raise RemoteError(
            f"{entry['name']}: its server does not tell how large files are: copy them to a disk or a bucket"
        )
    version = [str(entry[key]) for key in _VERSIONS if entry.get(key)]
    times = [entry[key] for key in _TIMES if entry.get(key)]
    digest = hashlib.sha256(repr((version, [str(one) for one in times])).encode()).digest()
    modified = 0 if version else _nanoseconds(times[0] if times else None)
    return RemoteStatus(stat.S_IFREG, int(entry["size"]), int.from_bytes(digest[:7]), modified, modified)


def _nanoseconds(moment: object) -> int:
    """Since 1970; now where there is no telling, so that the file counts as one that may still change."""
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    return int(moment * 1e9) if isinstance(moment, int | float) else time.time_ns()
