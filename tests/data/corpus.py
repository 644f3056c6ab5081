"""Damaged and unusual files, as found in hospitals, with the expected result of each."""

import io
import os
import struct
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

HEIGHT, WIDTH = 36, 48
#: Smooth, so that lossy formats come close; no turn or mirror maps it onto itself.
_Y, _X = np.mgrid[:HEIGHT, :WIDTH]
FIELD = np.dstack([5 * _X, 7 * _Y, 2 * _X + 3 * _Y]).clip(0, 255).astype(np.uint8)
#: What a file is to give: these pixels (to a tolerance), or a refusal whose message holds these words.
Outcome = tuple[NDArray[np.uint8], float] | str


def encode(kind: str, image: Image.Image | None = None, **options) -> bytes:
    """A file of the field (or of `image`), as bytes."""
    buffer = io.BytesIO()
    (image or Image.fromarray(FIELD)).save(buffer, kind, **options)
    return buffer.getvalue()


WHOLE = {
    "jpg": encode("JPEG", quality=95),
    "png": encode("PNG"),
    "tif": encode("TIFF"),
    "bmp": encode("BMP"),
    "webp": encode("WEBP", lossless=True),
}


def write_corpus(folder: Path) -> dict[Path, Outcome]:
    """Write every file into `folder` and return the expected results."""
    outcomes: dict[Path, Outcome] = {}

    def add(name: str, content: bytes, outcome: Outcome) -> None:
        (folder / name).write_bytes(content)
        outcomes[folder / name] = outcome

    for suffix, content in WHOLE.items():
        add(f"whole.{suffix}", content, (FIELD, 12 if suffix == "jpg" else 0))
        for tenth in range(1, 10):
            add(f"cut-{tenth}.{suffix}", content[: len(content) * tenth // 10], "again")
    for name, content in _no_images().items():
        add(name, content, "JPEG, PNG, TIFF, BMP or WebP")
    for name, (content, outcome) in _odd_images().items():
        add(name, content, outcome)
    for orientation, turned in _turns().items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        add(f"turned-{orientation}.png", encode("PNG", exif=exif), (turned, 0))
    _add_odd_names(folder, outcomes)
    return outcomes


def _no_images() -> dict[str, bytes]:
    return {
        "empty.jpg": b"",
        "zeros.png": bytes(10_000),
        "text.jpg": b"Please see the other drive.\n" * 20,
        "page.jpg": b"<html><body>404 not found</body></html>",
        "report.tif": b"%PDF-1.7\n" + bytes(500),
        "animation.gif": encode("GIF"),
        "icon.png": encode("ICO"),
        "archive.jpg": b"PK\x03\x04" + bytes(500),
        "thumbs.jpg": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "._whole.jpg": b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(500),
    }


def _odd_images() -> dict[str, tuple[bytes, Outcome]]:
    same = (FIELD, 0.0)
    close = (FIELD, 12.0)
    grey = np.repeat(FIELD[..., :1], 3, axis=2)
    ink = np.dstack([255 - FIELD, np.zeros((HEIGHT, WIDTH), np.uint8)])
    palette = Image.fromarray(FIELD).quantize(32)
    shown = np.array(palette.convert("RGB"))
    shown[np.array(palette) == 3] = 255
    bits = FIELD[..., 0] > 100
    second = [Image.fromarray(FIELD[::-1].copy())]
    pages = {"save_all": True, "append_images": second}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    comments = PngImagePlugin.PngInfo()
    comments.add_text("Comment", "x" * 900_000)
    bomb = PngImagePlugin.PngInfo()
    bomb.add_text("Comment", "x" * 50_000_000, zip=True)
    large = _png_header(60_000, 60_000)
    jpeg = WHOLE["jpg"]
    notes = b"".join(b"\xff\xfe" + struct.pack(">H", 65_002) + bytes(65_000) for _ in range(40))
    return {
        "png-that-is-a.jpg": (WHOLE["png"], same),
        "jpeg-that-is-a.png": (jpeg, close),
        "bomb.png": (large, "data.max_pixels"),
        "no-width.png": (_png_header(0, 10), "again"),
        "ink.jpg": (encode("JPEG", Image.fromarray(ink, mode="CMYK"), quality=95), close),
        "ink.tif": (encode("TIFF", Image.fromarray(ink, mode="CMYK")), (FIELD, 1)),
        "deep.tif": (_tiff(FIELD[..., 0].astype(np.uint16) * 257), (grey, 0)),
        "float.tif": (_tiff(FIELD[..., 0].astype(np.float32)), "floating-point"),
        "bits.png": (encode("PNG", Image.fromarray(bits)), (np.repeat(bits[..., None] * 255, 3, 2), 0)),
        "palette.png": (encode("PNG", palette, transparency=3), (shown, 0)),
        "pages.tif": (encode("TIFF", **pages), "2 pages or frames"),
        "animated.webp": (encode("WEBP", **pages), "2 pages or frames"),
        "animated.png": (encode("PNG", **pages), "2 pages or frames"),
        "profile.jpg": (encode("JPEG", quality=95, icc_profile=profile), close),
        "profile.png": (encode("PNG", icc_profile=profile), same),
        "profile-damaged.png": (encode("PNG", icc_profile=b"\xff" * 300), same),
        "metadata.png": (encode("PNG", pnginfo=comments), same),
        "metadata-bomb.png": (encode("PNG", pnginfo=bomb), "again"),
        "metadata.jpg": (jpeg[:2] + notes + jpeg[2:], close),
        "exif-damaged.jpg": (encode("JPEG", quality=95, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"), close),
        "garbage-behind.jpg": (jpeg + b"\0\xff" * 5000, close),
        "garbage-behind.png": (WHOLE["png"] + b"garbage" * 100, same),
        "two-in-one.jpg": (jpeg + jpeg, close),
        "garbage-before.jpg": (b"\r\n" + jpeg, "JPEG, PNG, TIFF, BMP or WebP"),
        "text-mode-copy.png": (WHOLE["png"].replace(b"\r\n", b"\n"), "JPEG, PNG, TIFF, BMP or WebP"),
        "flipped.png": (_flip(WHOLE["png"], len(WHOLE["png"]) // 2), "again"),
        "flipped-header.png": (_flip(WHOLE["png"], 19), "again"),
    }


def _turns() -> dict[int, NDArray[np.uint8]]:
    return {
        1: FIELD, 2: FIELD[:, ::-1], 3: FIELD[::-1, ::-1], 4: FIELD[::-1],
        5: FIELD.transpose(1, 0, 2), 6: np.rot90(FIELD, -1),
        7: np.rot90(FIELD, 2).transpose(1, 0, 2), 8: np.rot90(FIELD),
    }  # fmt: skip


def _add_odd_names(folder: Path, outcomes: dict[Path, Outcome]) -> None:
    same = (FIELD, 0.0)
    names = (
        unicodedata.normalize("NFD", "Präparat Übersicht.png"), "leer zeichen .png", "-rf.png", "%20.png",
        "a'b\"c;d.png", "名前.png", "x" * 240 + ".png",
    )  # fmt: skip
    for name in names:
        (folder / name).write_bytes(WHOLE["png"])
        outcomes[folder / name] = same
    (folder / "folder.png").mkdir()
    outcomes[folder / "folder.png"] = "regular file"
    os.mkfifo(folder / "pipe.png")
    outcomes[folder / "pipe.png"] = "regular file"
    (folder / "dangling.png").symlink_to(folder / "nowhere.png")
    outcomes[folder / "dangling.png"] = "does not exist"
    (folder / "circle.png").symlink_to(folder / "circle.png")
    outcomes[folder / "circle.png"] = "cannot be read"
    (folder / "link.png").symlink_to(folder / "whole.png")
    outcomes[folder / "link.png"] = same
    with (folder / "sparse.png").open("wb") as file:
        file.truncate(1 << 40)
    outcomes[folder / "sparse.png"] = "1099511627776 bytes"
    if os.geteuid() != 0:
        (folder / "forbidden.png").write_bytes(WHOLE["png"])
        (folder / "forbidden.png").chmod(0)
        outcomes[folder / "forbidden.png"] = "permissions"


def _png_header(width: int, height: int) -> bytes:
    """A PNG whose header announces pixels that are missing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def _tiff(samples: NDArray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, photometric="minisblack")
    return buffer.getvalue()


def _flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
