"""An append-only JSON Lines file that stays readable when its writer is killed."""

import json
import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

log = logging.getLogger(__name__)

Record = list[Any]

#: Bytes that are read at once to find the last line.
_BLOCK = 1 << 16


class JsonLines:
    """Records (lists of plain JSON values), one per line, each with its CRC-32: `[checksum, record]`.

    Reading needs no lock: an incomplete line at the end is ignored. Only one process at a time may append; it
    removes an incomplete line that a killed process left.

    Attributes:
        damaged: Number of lines whose checksum was wrong in the last `read`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0

    def read(self) -> list[Record]:
        """All records, in the order they were appended, without those of damaged lines."""
        content = self.path.read_bytes() if self.path.is_file() else b""
        lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]
        records = [record for line in lines if (record := _parse(line)) is not None]
        self.damaged = len(lines) - len(records)
        if self.damaged:
            log.warning("%s: %d damaged lines are ignored", self.path, self.damaged)
        return records

    def append(self, records: Sequence[Record]) -> None:
        """Add `records`; when this returns, they are on the disk.

        Raises:
            OSError: For instance, the disk is full. Earlier records remain.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.truncate(_end_of_lines(file))
            file.write(b"".join(map(_write, records)))
            file.flush()
            os.fsync(file.fileno())


def _write(record: Record) -> bytes:
    return json.dumps([_checksum(record), record]).encode() + b"\n"


def _parse(line: bytes) -> Record | None:
    """The record of a line; None if its checksum is wrong."""
    try:
        checksum, record = json.loads(line)
    except (ValueError, TypeError):
        return None
    return record if isinstance(record, list) and checksum == _checksum(record) else None


def _checksum(record: Record) -> int:
    return zlib.crc32(json.dumps(record).encode())


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
