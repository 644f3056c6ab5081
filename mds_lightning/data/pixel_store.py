"""Pixels of many fields in one file, mapped into memory."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mds_lightning.data.json_lines import Journal, Record


class Place(NamedTuple):
    """Where the pixels of one field lie: byte offset, height and width."""

    offset: int
    height: int
    width: int

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.offset + 3 * self.height * self.width


class Store:
    """uint8 RGB images of any size by the hash of the file they come from.

    `pixels.u8` holds the images one behind the other, `index.jsonl` where each begins. An image counts once
    its line is in the index, which is written after the pixels have reached the disk; what lies behind the
    last such image was left by a killed process and is overwritten. The pages are shared by all processes of
    a host that map the file.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "pixels.u8"
        self._journal = Journal(directory / "index.jsonl")
        size = self.path.stat().st_size if self.path.is_file() else 0
        places = {content: Place(*place) for content, *place in self._journal.read()}
        # A file that was cut (say, by a copy that broke off) holds its first images all the same.
        self._places = {content: place for content, place in places.items() if place.end <= size}
        self._end = max((place.end for place in self._places.values()), default=0)
        self._pending: list[Record] = []
        self._pixels: NDArray[np.uint8] | None = None

    def __contains__(self, content: str) -> bool:
        return content in self._places

    def place(self, content: str) -> Place:
        """Where the image of the file with this hash lies; see `read`."""
        return self._places[content]

    def read(self, place: Place) -> NDArray[np.uint8]:
        """The image at `place`: uint8, (height, width, 3), read-only, not copied."""
        if self._pixels is None:
            self._pixels = np.memmap(self.path, np.uint8, mode="r")
        return self._pixels[place.offset : place.end].reshape(place.height, place.width, 3)

    def append(self, content: str, image: NDArray[np.uint8]) -> None:
        """Add `image` (uint8, H x W x 3); it counts from the next `commit` on. One process at a time.

        Raises:
            OSError: For instance, the disk is full. What was committed remains.
        """
        place = Place(self._end, *image.shape[:2])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.seek(place.offset)
            file.write(np.ascontiguousarray(image).data)
        self._places[content] = place
        self._pending.append([content, *place])
        self._end = place.end
        self._pixels = None

    def commit(self) -> None:
        """Bring what was appended to the disk, and only then enter it in the index."""
        if not self._pending:
            return
        with self.path.open("r+b") as file:
            file.truncate(self._end)
            os.fsync(file.fileno())
        self._journal.append(self._pending)
        self._pending = []

    def discard(self) -> None:
        """Forget what was appended since the last `commit`, and give its room on the disk back."""
        for content, *_ in self._pending:
            del self._places[content]
        self._end = max((place.end for place in self._places.values()), default=0)
        self._pending, self._pixels = [], None
        if self.path.is_file():
            os.truncate(self.path, self._end)

    def __getstate__(self) -> dict[str, Any]:
        # A mapped array would be copied whole into every worker that is not forked.
        return self.__dict__ | {"_pixels": None}
