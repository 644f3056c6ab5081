"""Size and version of a remote file, from the listing of its folder."""

import hashlib
import stat
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from mds_lightning.cohort.remote_error import RemoteError

#: Keys of a listing that change whenever a file is written, and keys of its modification time.
_VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "generation")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


class RemoteStatus(NamedTuple):
    """The fields of `os.stat_result` that show whether a file has changed.

    `st_ino` is derived from the version of the file. Times are 0 where the version is sufficient.
    """

    st_mode: int
    st_size: int
    st_ino: int
    st_mtime_ns: int
    st_ctime_ns: int


def remote_status(entry: Mapping[str, Any]) -> RemoteStatus:
    """Build it from one entry of a listing of fsspec.

    Raises:
        RemoteError: The entry has no size.
    """
    if entry.get("type") == "directory":
        return RemoteStatus(stat.S_IFDIR, 0, 0, 0, 0)
    if entry.get("size") is None:
        raise RemoteError(
            f"{entry['name']}: the server does not report the size of files",
            "copy them to a disk or a bucket",
        )
    version = [str(entry[key]) for key in _VERSIONS if entry.get(key)]
    times = [entry[key] for key in _TIMES if entry.get(key)]
    digest = hashlib.sha256(repr((version, [str(one) for one in times])).encode()).digest()
    modified = 0 if version else _nanoseconds(times[0] if times else None)
    return RemoteStatus(stat.S_IFREG, int(entry["size"]), int.from_bytes(digest[:7]), modified, modified)


def _nanoseconds(moment: object) -> int:
    """Nanoseconds since 1970; the current time if unknown, so that the file counts as recently changed."""
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    return int(moment * 1e9) if isinstance(moment, int | float) else time.time_ns()
