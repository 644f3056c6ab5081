"""The content hash of each file, remembered so that unchanged files are not read again."""

import os
import time
from pathlib import Path
from typing import NamedTuple, Self

from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_status import RemoteStatus
from mds_lightning.data.json_lines import JsonLines, Record

#: A file modified less than this before it was read (ns) may change again under the same time stamp.
_MIN_AGE = 2_000_000_000


class Fingerprint(NamedTuple):
    """Properties that change with a file. `changed` (ctime) detects even a copy that keeps the old mtime."""

    size: int
    modified: int
    changed: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result | RemoteStatus) -> Self:
        """Build it from the result of `os.stat`."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class KnownImage(NamedTuple):
    """Content of an image file: SHA-256 of its bytes, and (height, width) of the decoded image in pixels."""

    content: str
    shape: tuple[int, int]


class FileCatalog:
    """Maps files to their content, stored in a JSON Lines file.

    An entry is valid while the file's fingerprint is the same, and only if the file had been unchanged for
    two seconds when it was read, since time stamps of file systems are coarse.
    """

    def __init__(self, path: Path) -> None:
        self._lines = JsonLines(path)
        self._entries: dict[str, tuple[Fingerprint, int, KnownImage]] = {}
        self._pending: list[Record] = []
        for name, fingerprint, read_at, content, height, width in self._lines.read():
            known = KnownImage(content, (height, width))
            self._entries[name] = (Fingerprint(*fingerprint), read_at, known)
        self.shape_of = {known.content: known.shape for _, _, known in self._entries.values()}

    def find(self, path: File) -> KnownImage | None:
        """The content of `path` if the file is unchanged since it was added, else None."""
        entry = self._entries.get(str(path))
        if entry is None:
            return None
        fingerprint, read_at, known = entry
        settled = read_at - max(fingerprint.modified, fingerprint.changed) > _MIN_AGE
        try:
            unchanged = Fingerprint.of(path.stat()) == fingerprint
        except OSError:
            return None
        return known if settled and unchanged else None

    def add(self, path: File, fingerprint: Fingerprint, known: KnownImage) -> None:
        """Add the content just read from `path`; it is written at the next `commit`."""
        read_at = time.time_ns()
        self._entries[str(path)] = (fingerprint, read_at, known)
        self.shape_of[known.content] = known.shape
        self._pending.append([str(path), list(fingerprint), read_at, known.content, *known.shape])

    def commit(self) -> None:
        """Write the added entries to disk."""
        if not self._pending:
            return
        self._lines.append(self._pending)
        self._pending = []
