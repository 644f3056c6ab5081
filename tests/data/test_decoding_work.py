"""Small files that would keep a decoder busy: refused before a pixel is decoded."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFile

from mds_lightning.data.decode import ImageError, decode_image, image_shape

SCAN = b"\xff\xda"


def encode(kind, height=64, width=64, **options):
    buffer = io.BytesIO()
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_header(more):
    """A JPEG with `more` behind its first marker."""
    content = encode("JPEG")
    return content[:2] + more + content[2:]


def many_scans(number):
    """A progressive JPEG whose last scan is repeated."""
    content = encode("JPEG", progressive=True)
    last = content[content.rindex(SCAN) : -2]
    return content[:-2] + last * number + content[-2:]


def huge_jpeg(progressive):
    """A JPEG of 64 x 64 pixels whose header announces 14000 x 14000."""
    content = bytearray(encode("JPEG", progressive=progressive))
    frame = content.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 14_000, 14_000)
    return bytes(content)


def huge_png():
    header = struct.pack(">IIBBBBB", 14_000, 14_000, 8, 2, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(14_000 * 3)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + pixels + png_chunk(b"IEND")


def many_chunks(kind, before_pixels):
    content = encode("PNG")
    place = content.index(b"IDAT") - 4 if before_pixels else len(content) - 12
    return content[:place] + png_chunk(kind) * 2_000_000 + content[place:]


def many_strips():
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, np.zeros((200_000, 1), np.uint8), rowsperstrip=1, photometric="minisblack", metadata=None
    )
    return buffer.getvalue()


def many_pages():
    """A TIFF of 100,000 pages of one tag."""
    content = bytearray(struct.pack("<2sHI", b"II", 42, 8))
    for _ in range(100_000):
        here = len(content)
        content += struct.pack("<HHHIII", 1, 256, 3, 1, 8, here + 18)
    content[-4:] = bytes(4)
    return bytes(content)


REFUSED = {
    "scans": (lambda: many_scans(2000), "has 2010 scans"),
    "14000 x 14000 JPEG": (lambda: huge_jpeg(False), "cannot hold 14000 x 14000 pixels"),
    "14000 x 14000 progressive JPEG": (lambda: huge_jpeg(True), "cannot hold 14000 x 14000 pixels"),
    "14000 x 14000 PNG": (huge_png, "truncated"),
    "chunks before the pixels": (lambda: many_chunks(b"teXt", True), "more than 100000 chunks"),
    "pixels in empty chunks": (lambda: many_chunks(b"IDAT", False), "more than 100000 chunks"),
    "segments": (lambda: with_header(b"\xff\xfe\0\2" * 2_000_000), "more than 100000 segments"),
    "padding": (lambda: with_header(b"\xff" * 8_000_000), "more than 100000 segments"),
    "strips": (many_strips, "has 200000 strips or tiles, more than 100000"),
    "pages": (many_pages, "more than 1000 pages"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_long_work_is_refused_by_name(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("pixels were decoded"))
    make, reason = REFUSED[kind]
    path = tmp_path / "a"
    path.write_bytes(make())
    with pytest.raises(ImageError, match=reason) as raised:
        decode_image(path)
    try:
        image_shape(path)
    except ImageError as error:
        assert reason in str(error)  # noqa: PT017 (it need not be raised)
    assert str(raised.value).startswith(f"{path}: ")
    assert raised.value.remedy


def test_usual_files_are_within_the_limits(tmp_path):
    path = tmp_path / "a"
    for content in (
        many_scans(50),
        encode("PNG"),
        encode("TIFF"),
        encode("JPEG", 8, 8),
        with_header(b"\xff\xfe\0\2" * 1000),
    ):
        path.write_bytes(content)
        assert decode_image(path).shape[:2] == image_shape(path)


@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG", {"optimize": True}), ("JPEG", {"progressive": True}), ("PNG", {})]
)
def test_an_image_of_one_colour_is_not_too_short(tmp_path, kind, options):
    path = tmp_path / "a"
    Image.new("L", (2000, 2000), 255).save(path, kind, **options)
    assert decode_image(path).min() == 255
