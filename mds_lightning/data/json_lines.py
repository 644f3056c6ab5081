"""An append-only JSON Lines file that stays readable when its writer is killed."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

Record = list[Any]

#: Bytes that are read at once to find the last line.
_BLOCK = 1 << 16


class JsonLines:
    """Records (lists of plain JSON values), one per line.

    Reading needs no lock: an incomplete line at the end is ignored. Only one process at a time may append; it
    removes an incomplete line that a killed process left.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Record]:
        """All records, in the order they were appended."""
        content = self.path.read_bytes() if self.path.is_file() else b""
        return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]

    def append(self, records: Sequence[Record]) -> None:
        """Add `records`; when this returns, they are on the disk.

        Raises:
            OSError: For instance, the disk is full. Earlier records remain.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.truncate(_end_of_lines(file))
            file.write(b"".join(json.dumps(record).encode() + b"\n" for record in records))
            file.flush()
            os.fsync(file.fileno())


def _end_of_lines(file: BinaryIO) -> int:
    """Offset after the last complete line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
