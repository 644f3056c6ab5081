"""The segments of a JPEG file: how much work its decoding is, and whether its pixels are complete.

Pillow decodes a JPEG of any number of scans, each over the whole image, and ignores the warnings of libjpeg:
pixels whose data are missing are grey.
"""

import math
import re
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

JPEG = b"\xff\xd8\xff"

#: A marker; 0 is a stuffed byte, and D0 to D7 are restart markers within the data of a scan.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_WITHOUT_LENGTH = (0x01, 0xD8)
_END, _SCAN = 0xD9, 0xDA
#: Start of frame: all of C0 to CF but the tables of Huffman codes, a reserved code and arithmetic conditions.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ARITHMETIC = range(0xC9, 0xD0)
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_BLOCK = 8
#: Colours of pixels without data: the middle of the range, after rounding and the inversion of CMYK.
_GREY = range(126, 130)
#: Bytes that hold no marker, and would be decoded as pixels if the scan before them were incomplete.
_FILLER = bytes((97 * place + 13) % 255 for place in range(1024))


@dataclass(frozen=True)
class JpegSegments:
    """What the markers of a JPEG file say.

    Attributes:
        content: The file.
        frame: Marker that starts the image and names its kind of coding, or None.
        segments: Number of segments.
        scans: Number of scans.
        first_scan: Offset of the first scan, or None.
        end: Offset of the marker that ends the image, or None if there is none.
    """

    content: bytes
    frame: int | None = None
    segments: int = 0
    scans: int = 0
    first_scan: int | None = None
    end: int | None = None

    def is_too_short(self, size: tuple[int, int]) -> bool:
        """Whether the scans have fewer bits than an image of (width, height) pixels has blocks of 8 x 8.

        Huffman codes have one bit or more for each block.
        """
        if self.first_scan is None or self.frame in (*_ARITHMETIC, *_LOSSLESS):
            return False
        end = len(self.content) if self.end is None else self.end
        return 8 * (end - self.first_scan) < math.prod(-(-side // _BLOCK) for side in size)

    def with_filler(self, image: Image.Image) -> bytes | None:
        """The file with bytes inserted behind the last scan, to be decoded and compared with the original.

        They change the pixels if the scan ends before its pixels do, although an end marker follows; they are
        skipped if it does not.

        Args:
            image: The decoded image, as stored (before its orientation is applied).

        Returns:
            None if no pixels are missing: there is one scan, whose missing blocks are grey, and the last
            pixel is not in one of them.
        """
        if self.end is None:
            return None
        if self.scans == 1 and self.frame not in _ARITHMETIC:
            last = image.getpixel((image.width - 1, image.height - 1))
            samples = last if isinstance(last, tuple) else (last,)
            if not all(sample is not None and sample in _GREY for sample in samples):
                return None
        return self.content[: self.end] + _FILLER + self.content[self.end : self.end + 2]


def count_header_segments(file: BinaryIO, most: int) -> int:
    """Number of segments and padding bytes before the first scan, of which only the lengths are read.

    Args:
        file: The file.
        most: Counting stops when there are more.
    """
    place, number = 2, 0
    while number <= most:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (_SCAN, _END):
            break
        number += 1
        place += 1 if head[1] == 0xFF else 2 + int.from_bytes(head[2:])
    return number


def read_segments(content: bytes, most: int) -> JpegSegments:
    """Read the markers of a JPEG file; what comes after its end is not considered.

    Args:
        content: The file.
        most: Reading stops when there are more segments.
    """
    frame, segments, scans, first, end = None, 0, 0, None, None
    place = 0
    while segments <= most and (found := _MARKER.search(content, place)):
        marker, place = found[1][0], found.end()
        if marker == _END:
            end = found.start()
            break
        if marker in _WITHOUT_LENGTH:
            continue
        segments += 1
        if marker in _FRAMES and frame is None:
            frame = marker
        if marker == _SCAN:
            scans += 1
            first = found.start() if first is None else first
        place += int.from_bytes(content[place : place + 2])
    return JpegSegments(content, frame, segments, scans, first, end)
