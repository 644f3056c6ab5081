"""The tags of a TIFF file: kinds of pixels that Pillow does not read, or reads wrongly, and several pages."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.decoding_work import MAX_PARTS, too_many
from mds_lightning.data.image_error import ImageError

_WIDTH, _HEIGHT = 256, 257
BITS, COMPRESSION, PHOTOMETRIC, DESCRIPTION, STRIPS, SAMPLES, PLANAR = 258, 259, 262, 270, 273, 277, 284
_TILES, _EXTRA, _FORMAT, _METAMORPH_STACK = 324, 338, 339, 33629
_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BIG = 43
_MOST_PAGES = 1000

_SIGNED, _FLOAT, _COMPLEX = 2, 3, (5, 6)
_UNDEFINED = {
    _SIGNED: "signed",
    _FLOAT: "floating-point",
    **dict.fromkeys(_COMPLEX, "complex"),
}
_GREY, _RGB, _TRANSPARENT = (0, 1), 2, (1, 2)
_IMAGEJ = re.compile(r"ImageJ=.*?^images=(\d+)", re.DOTALL | re.MULTILINE)
_EXPORT = "export it with 8 or 16 bits"


def refuse_tiff(path: File, file: BinaryIO) -> None:
    """Raise if `file` is a TIFF of several pages, or one whose samples cannot be converted to 8-bit RGB.

    A file whose tags cannot be read is not refused here.

    Args:
        path: The file, for the message.
        file: Its content; the position is restored.

    Raises:
        ImageError: With the reason.
    """
    try:
        tags = _first_tags(file)
        pages = 0 if tags is None else _count_pages(file, tags)
    except (
        Exception
    ):  # Pillow raises many types of exceptions for damaged files, and again when it decodes them.
        return
    finally:
        file.seek(0)
    if tags is None:
        return
    pages = max(pages, _stacked(tags))
    if pages > 1:
        counted = f"more than {_MOST_PAGES}" if pages > _MOST_PAGES else str(pages)
        raise ImageError(
            f"{path}: holds {counted} pages or frames", "save the right one as a file of its own"
        )
    parts = max(len(_values(tags, tag)) for tag in (STRIPS, _TILES))
    if parts > MAX_PARTS:
        raise too_many(path, parts, MAX_PARTS, "strips or tiles")
    _refuse_samples(path, tags)


def describe_tiff(file: BinaryIO) -> str | None:
    """How the pixels of a TIFF are stored, for messages; None if `file` is no TIFF or is damaged."""
    try:
        tags = _first_tags(file)
    except Exception:  # As above.
        return None
    finally:
        file.seek(0)
    if tags is None:
        return None
    bits = ", ".join(map(str, _values(tags, BITS))) or "1"
    return (
        f"samples of {bits} bits, compression {_first(tags, COMPRESSION, 1)}, "
        f"photometric interpretation {_first(tags, PHOTOMETRIC, 0)}"
    )


def _refuse_samples(path: File, tags: Mapping[int, Any]) -> None:
    bits, samples, photometric = _values(tags, BITS), _first(tags, SAMPLES, 1), _first(tags, PHOTOMETRIC, 0)
    kinds = [_UNDEFINED[kind] for kind in _values(tags, _FORMAT) if kind in _UNDEFINED]
    if not kinds and max(bits, default=1) > 16:
        kinds = [f"{max(bits)}-bit"]
    if kinds:
        deep = f" of {max(bits)} bits" if bits and kinds[0] != f"{max(bits)}-bit" else ""
        raise ImageError(f"{path}: has {kinds[0]} samples{deep}, whose range is undefined", _EXPORT)
    extra = _values(tags, _EXTRA)
    expected = 1 + (len(extra) == 1 and extra[0] in _TRANSPARENT)
    if photometric in _GREY and samples != expected:
        raise ImageError(
            f"{path}: has {samples} samples per pixel that are marked as grey (photometric interpretation "
            f"{photometric}), so that their colours are unknown",
            "export it as RGB",
        )
    if photometric == _RGB and samples < 3:
        raise ImageError(f"{path}: is marked as RGB, but has {samples} samples per pixel", "export it as RGB")
    if len(set(bits)) > 1:
        raise ImageError(
            f"{path}: has samples of different depths ({', '.join(map(str, bits))} bits)", _EXPORT
        )


def _first_tags(file: BinaryIO) -> ImageFileDirectory_v2 | None:
    header = _header(file)
    if not header.startswith(_STARTS):
        return None
    tags = ImageFileDirectory_v2(header)
    _load(tags, file, tags.next)
    return tags if _WIDTH in tags else None


def _load(tags: ImageFileDirectory_v2, file: BinaryIO, offset: int) -> None:
    file.seek(offset)
    tags.load(file)


def _count_pages(file: BinaryIO, first: ImageFileDirectory_v2) -> int:
    """Number of pages, at most one more than `_MOST_PAGES`: they are a linked list in the file."""
    page, pages, seen = ImageFileDirectory_v2(_header(file)), 1, {0}
    page.next = first.next
    while page.next not in seen and pages <= _MOST_PAGES:
        seen.add(page.next)
        _load(page, file, page.next)
        pages += 1
    return pages


def _header(file: BinaryIO) -> bytes:
    file.seek(0)
    header = file.read(8)
    return header + file.read(8) if _BIG in header[2:4] else header


def _stacked(tags: Mapping[int, Any]) -> int:
    """Number of images in a stack that has one page, as ImageJ, tifffile and MetaMorph write it."""
    text = str(tags.get(DESCRIPTION, ""))
    if found := _IMAGEJ.match(text):
        return int(found[1])
    stack = tags.get(_METAMORPH_STACK)
    if isinstance(stack, tuple):
        return len(stack)
    try:
        shape = json.loads(text).get("shape", ()) if text.startswith("{") else ()
        described = math.prod(map(int, shape))
    except (TypeError, ValueError, RecursionError):
        return 1
    page = math.prod(_first(tags, tag, 1) for tag in (_WIDTH, _HEIGHT, SAMPLES))
    return described // max(page, 1)


def _values(tags: Mapping[int, Any], tag: int) -> tuple[int, ...]:
    value = tags.get(tag)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(number for number in values if isinstance(number, int))


def _first(tags: Mapping[int, Any], tag: int, default: int) -> int:
    values = _values(tags, tag)
    return values[0] if values else default
