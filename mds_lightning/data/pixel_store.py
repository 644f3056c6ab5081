"""The pixels of many fields in one memory-mapped file."""

import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mds_lightning.data.json_lines import JsonLines, Record


class DamagedPixelsError(Exception):
    """Stored pixels are not those that were written: the disk or another program changed them."""


class Place(NamedTuple):
    """Position of the pixels of one field: byte offset, height and width, and the CRC-32 of the bytes."""

    offset: int
    height: int
    width: int
    checksum: int

    @property
    def end(self) -> int:
        """Offset of the first byte after it."""
        return self.offset + 3 * self.height * self.width


class PixelStore:
    """uint8 RGB images of any size, addressed by the hash of the file that they were decoded from.

    `pixels.u8` holds the images one after the other, `index.jsonl` their offsets. An image is valid once it
    is in the index, which is written after the pixels are on disk; bytes after the last indexed image were
    left by a killed process and are overwritten. All processes of a host that map the file share its pages.
    Each process compares the checksum of an image when it reads it for the first time.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "pixels.u8"
        self._lines = JsonLines(directory / "index.jsonl")
        size = self.path.stat().st_size if self.path.is_file() else 0
        places = {content: Place(*place) for content, *place in self._lines.read()}
        # The first images of a truncated file (for instance an incomplete copy) are still valid.
        self._places = {content: place for content, place in places.items() if place.end <= size}
        # Another process may be reading an image whose line in the index has been damaged since.
        self._kept = size if self._lines.damaged else 0
        self._end = self._end_of_images()
        self._verified: set[Place] = set()
        self._pending: list[Record] = []
        self._pixels: NDArray[np.uint8] | None = None

    def __contains__(self, content: str) -> bool:
        return content in self._places

    def place(self, content: str) -> Place:
        """Position of the image of the file with this hash; see `read`."""
        return self._places[content]

    def read(self, place: Place) -> NDArray[np.uint8]:
        """The image at `place`: uint8, (height, width, 3), read-only and not copied.

        Raises:
            DamagedPixelsError: The bytes differ from those that were stored.
        """
        if self._pixels is None:
            self._pixels = np.memmap(self.path, np.uint8, mode="r")
        pixels = self._pixels[place.offset : place.end]
        if place not in self._verified:
            if zlib.crc32(pixels.data) != place.checksum:
                raise DamagedPixelsError(f"{self.path}, {pixels.size} bytes from byte {place.offset}")
            self._verified.add(place)
        return pixels.reshape(place.height, place.width, 3)

    def append(self, content: str, image: NDArray[np.uint8]) -> None:
        """Add `image` (uint8, H x W x 3); it is valid after the next `commit`. One process at a time.

        Raises:
            OSError: For instance, the disk is full. Committed images remain.
        """
        pixels = np.ascontiguousarray(image).data
        height, width = image.shape[:2]
        place = Place(self._end, height, width, zlib.crc32(pixels))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.seek(place.offset)
            file.write(pixels)
        self._places[content] = place
        self._pending.append([content, *place])
        self._end = place.end
        self._pixels = None

    def commit(self) -> None:
        """Flush appended images to disk, then add them to the index."""
        if not self._pending:
            return
        with self.path.open("r+b") as file:
            file.truncate(self._end)
            os.fsync(file.fileno())
        self._lines.append(self._pending)
        self._pending = []

    def discard(self) -> None:
        """Remove the images appended since the last `commit`, and truncate the file."""
        for content, *_ in self._pending:
            del self._places[content]
        self._end = self._end_of_images()
        self._pending, self._pixels = [], None
        if self.path.is_file():
            os.truncate(self.path, self._end)

    def _end_of_images(self) -> int:
        return max([self._kept, *(place.end for place in self._places.values())])

    def __getstate__(self) -> dict[str, Any]:
        # Pickling would copy the whole mapped array into every spawned worker, which compares checksums
        # itself.
        return self.__dict__ | {"_pixels": None, "_verified": set()}
