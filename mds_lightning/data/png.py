"""Whether a PNG file is whole, by its own check sums."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_fault(content: bytes) -> str | None:
    """Why the PNG file `content` is not what was once written, or None if it is (or is no PNG).

    Pillow 13 returns some files whose pixels are cut off or lost in the middle as if they were whole.
    """
    if not content.startswith(_SIGNATURE):
        return None
    place = len(_SIGNATURE)
    whole = memoryview(content)
    while place + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            return "it ends in the middle of a part"
        if zlib.crc32(whole[place + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            return f"the check sum of its part {kind!r} is wrong"
        if kind == b"IEND":
            return None
        place = end + 4
    return "its end is missing"
