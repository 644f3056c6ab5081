"""Which content a file holds, known without reading it again while it is unchanged."""

import os
import time
from pathlib import Path
from typing import NamedTuple, Self

from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_status import RemoteStatus
from mds_lightning.data.json_lines import Journal, Record

#: A file that was written so shortly before it was read (ns) may change again under the same time stamp.
_RACY = 2_000_000_000


class Fingerprint(NamedTuple):
    """What changes when a file does. The time of the last status change sees even a copy with old times."""

    size: int
    modified: int
    changed: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result | RemoteStatus) -> Self:
        """From what `os.stat` returned."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Known(NamedTuple):
    """What was found in a file: SHA-256 of its bytes, and (height, width) of the decoded image."""

    content: str
    shape: tuple[int, int]


class Catalog:
    """File to content, remembered in a journal.

    An entry counts while the file's fingerprint is the same, and only if the file had rested for two seconds
    when it was read: clocks of file systems are coarse.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._entries: dict[str, tuple[Fingerprint, int, Known]] = {}
        self._pending: list[Record] = []
        for name, fingerprint, read_at, content, height, width in self._journal.read():
            known = Known(content, (height, width))
            self._entries[name] = (Fingerprint(*fingerprint), read_at, known)
        self.shape_of = {known.content: known.shape for _, _, known in self._entries.values()}

    def find(self, path: File) -> Known | None:
        """What `path` holds, if it is known to be unchanged; a file that is not there is not known."""
        entry = self._entries.get(str(path))
        if entry is None:
            return None
        fingerprint, read_at, known = entry
        rested = read_at - max(fingerprint.modified, fingerprint.changed) > _RACY
        try:
            unchanged = Fingerprint.of(path.stat()) == fingerprint
        except OSError:
            return None
        return known if rested and unchanged else None

    def add(self, path: File, fingerprint: Fingerprint, known: Known) -> None:
        """Remember, from the next `commit` on, what was just read from `path`."""
        read_at = time.time_ns()
        self._entries[str(path)] = (fingerprint, read_at, known)
        self.shape_of[known.content] = known.shape
        self._pending.append([str(path), list(fingerprint), read_at, known.content, *known.shape])

    def commit(self) -> None:
        """Write what was added to the disk."""
        if not self._pending:
            return
        self._journal.append(self._pending)
        self._pending = []
