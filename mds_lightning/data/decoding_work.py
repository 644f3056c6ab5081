"""Limits on the work of decoding one file, read from its structure before a pixel is decoded.

A small file can keep a decoder busy for minutes: pixels that are announced and missing, a JPEG of thousands
of scans, or a PNG of millions of empty chunks.
"""

import math
import struct
from collections.abc import Iterator
from typing import BinaryIO

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.image_error import ImageError
from mds_lightning.data.jpeg_segments import JPEG, JpegSegments, count_header_segments, read_segments

#: Most chunks of a PNG, segments of a JPEG, or strips or tiles of a TIFF: more than any scanner writes.
MAX_PARTS = 100_000
#: Most scans of a progressive JPEG; usual are 10.
MAX_SCANS = 100

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DATA, _PNG_END = b"IDAT", b"IEND"
#: The most that deflate can shrink data.
_MOST_DEFLATED = 1032


def refuse_excessive_work(path: File, file: BinaryIO, only_header: bool) -> None:
    """Raise if the file has so many parts that finding its pixels would take long.

    Args:
        path: The file, for the message.
        file: Its content; the position is set to 0.
        only_header: Only what comes before the pixels is read.

    Raises:
        ImageError: With the limit that is exceeded.
    """
    start = file.read(len(_PNG))
    file.seek(0)
    if start == _PNG:
        for number, kind in enumerate(_chunks(file), 1):
            if number > MAX_PARTS:
                raise too_many(path, number, MAX_PARTS, "chunks")
            if kind == _PNG_DATA and only_header:
                break
    elif start.startswith(JPEG) and (number := count_header_segments(file, MAX_PARTS)) > MAX_PARTS:
        raise too_many(path, number, MAX_PARTS, "segments")
    file.seek(0)


def too_many(path: File, number: int, most: int, parts: str) -> ImageError:
    """The error of a file that has `number` or more `parts`, and may have `most`."""
    counted = f"more than {most} {parts}" if number == most + 1 else f"{number} {parts}, more than {most}"
    return ImageError(f"{path}: has {counted}; decoding it would take long", "export it again")


def refuse_long_decoding(path: File, content: bytes, size: tuple[int, int]) -> JpegSegments | None:
    """Raise if the file has too many scans, or too few bytes for its pixels.

    Args:
        path: The file, for the message.
        content: Its content.
        size: (width, height) in pixels, as its header says.

    Returns:
        The segments of a JPEG; None for other files.

    Raises:
        ImageError: With the limit that is exceeded.
    """
    if content.startswith(_PNG):
        # At least one bit for each pixel, before compression.
        if math.prod(size) > 8 * _MOST_DEFLATED * len(content):
            raise _too_short(path, content, size)
        return None
    if not content.startswith(JPEG):
        return None
    jpeg = read_segments(content, MAX_PARTS)
    if jpeg.scans > MAX_SCANS:
        raise too_many(path, jpeg.scans, MAX_SCANS, "scans")
    if jpeg.segments > MAX_PARTS:
        raise too_many(path, jpeg.segments, MAX_PARTS, "segments")
    if jpeg.is_too_short(size):
        raise _too_short(path, content, size)
    return jpeg


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Kind of each chunk of a PNG."""
    place = len(_PNG)
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        yield kind
        if kind == _PNG_END:
            return
        place += 12 + length


def _too_short(path: File, content: bytes, size: tuple[int, int]) -> ImageError:
    return ImageError(
        f"{path}: is damaged or truncated ({len(content)} bytes cannot hold {size[0]} x {size[1]} pixels)",
        "copy it again from its source",
    )
