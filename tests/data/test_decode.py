import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from .samples import DEEP, GREY, HEIGHT, RGB, WIDTH, assert_decodes_to, save

#: What each EXIF orientation makes of an array.
TURNS = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
    8: lambda x: np.rot90(x, 1),
}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def over_white(colours, alpha):
    """`colours` (0..255) composed over white with `alpha` (0..255)."""
    return colours * (alpha / 255) + 255 * (1 - alpha / 255)


# Eight bits and fewer


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.bmp", {}),
        ("a.tif", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.tif", {"compression": "tiff_adobe_deflate"}),
        ("a.webp", {"lossless": True}),
    ],
)
@pytest.mark.parametrize(("mode", "expected"), [("RGB", RGB), ("L", GREY)])
def test_lossless_formats_return_the_exact_pixels(tmp_path, name, options, mode, expected):
    image = Image.fromarray(RGB if mode == "RGB" else RGB[..., 0])
    assert_decodes_to(save(tmp_path / name, image, **options), expected)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_lossy_formats_return_similar_pixels(tmp_path, mode):
    smooth = cv2.GaussianBlur(RGB, (0, 0), 4)
    image = Image.fromarray(smooth).convert(mode)
    expected = np.array(image.convert("RGB"))
    assert_decodes_to(save(tmp_path / "a.jpg", image, quality=95), expected, tolerance=16)
    assert_decodes_to(save(tmp_path / "p.jpg", image, quality=95, progressive=True), expected, tolerance=16)
    assert_decodes_to(save(tmp_path / "a.webp", image, quality=95), expected, tolerance=24)


def test_the_format_is_determined_by_content_not_suffix(tmp_path):
    assert_decodes_to(save(tmp_path / "a.jpg", Image.fromarray(RGB), format="PNG"), RGB)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_one_bit_is_black_and_white(tmp_path, name):
    bits = RGB[..., 0] > 100
    expected = np.repeat((bits * 255)[..., None], 3, axis=2)
    assert_decodes_to(save(tmp_path / name, Image.fromarray(bits)), expected)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_a_palette_is_looked_up(tmp_path, name):
    image = Image.fromarray(RGB).quantize(16)
    assert_decodes_to(save(tmp_path / name, image), np.array(image.convert("RGB")))


def test_a_transparent_entry_of_a_palette_is_white(tmp_path):
    image = Image.fromarray(RGB).quantize(16)
    expected = np.array(image.convert("RGB"))
    expected[np.array(image) == 3] = 255
    assert_decodes_to(save(tmp_path / "a.png", image, transparency=3), expected)
    half = bytes([255] * 3 + [128] + [255] * 12)
    expected = np.array(image.convert("RGB")).astype(float)
    shown = np.array(image) == 3
    expected[shown] = over_white(expected[shown], 128)
    assert_decodes_to(save(tmp_path / "half.png", image, transparency=half), expected, tolerance=1)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_transparency_is_composed_over_white(tmp_path, name):
    alpha = np.broadcast_to(np.linspace(0, 255, WIDTH).round().astype(np.uint8), (HEIGHT, WIDTH))
    image = Image.fromarray(np.dstack([RGB, alpha]))
    options = {"lossless": True, "exact": True} if name == "a.webp" else {}
    assert_decodes_to(save(tmp_path / name, image, **options), over_white(RGB, alpha[..., None]), tolerance=1)


def test_transparency_of_grey_and_single_colours_is_composed_over_white(tmp_path):
    alpha = np.full((HEIGHT, WIDTH), 64, np.uint8)
    image = Image.fromarray(np.dstack([RGB[..., 0], alpha]))
    assert_decodes_to(save(tmp_path / "la.png", image), over_white(GREY, 64.0), tolerance=1)
    colour = tuple(int(value) for value in RGB[3, 5])
    expected = RGB.copy()
    expected[(RGB[3, 5] == RGB).all(axis=2)] = 255
    assert_decodes_to(save(tmp_path / "rgb.png", Image.fromarray(RGB), transparency=colour), expected)


def test_cmyk_is_converted_and_inverted_only_in_jpeg(tmp_path):
    smooth = cv2.GaussianBlur(RGB, (0, 0), 4)
    ink = Image.fromarray(np.dstack([255 - smooth, np.full((HEIGHT, WIDTH), 50, np.uint8)]), mode="CMYK")
    expected = smooth * (205 / 255)
    assert_decodes_to(save(tmp_path / "a.tif", ink), expected, tolerance=1)
    jpeg = save(tmp_path / "a.jpg", ink, quality=98)
    assert b"Adobe" in jpeg.read_bytes()
    assert_decodes_to(jpeg, expected, tolerance=8)


def test_planar_and_white_is_zero_tiffs_are_read_correctly(tmp_path):
    tifffile.imwrite(
        tmp_path / "p.tif", np.moveaxis(RGB, 2, 0).copy(), photometric="rgb", planarconfig="separate"
    )
    assert_decodes_to(tmp_path / "p.tif", RGB)
    tifffile.imwrite(tmp_path / "w.tif", RGB[..., 0], photometric="miniswhite")
    assert_decodes_to(tmp_path / "w.tif", 255 - GREY)


# Sixteen bits


def write_png(path, samples, colour_type):
    """A 16-bit PNG, bit by bit, since no library here writes all kinds."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_sixteen_bits_of_png_keep_their_high_byte(tmp_path):
    opaque = np.full((HEIGHT, WIDTH), 30000, np.uint16)
    assert_decodes_to(write_png(tmp_path / "rgb.png", DEEP, 2), RGB)
    assert_decodes_to(write_png(tmp_path / "g.png", DEEP[..., 0], 0), GREY)
    over = over_white(RGB, 30000 // 256)
    assert_decodes_to(write_png(tmp_path / "rgba.png", np.dstack([DEEP, opaque]), 6), over, tolerance=1)
    over = over_white(GREY, 30000 // 256)
    assert_decodes_to(write_png(tmp_path / "la.png", np.dstack([DEEP[..., 0], opaque]), 4), over, tolerance=1)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_sixteen_bits_of_tiff_keep_their_high_byte(tmp_path, byteorder, compression):
    options = {"byteorder": byteorder, "compression": compression}
    tifffile.imwrite(tmp_path / "rgb.tif", DEEP, photometric="rgb", **options)
    assert_decodes_to(tmp_path / "rgb.tif", RGB)
    tifffile.imwrite(tmp_path / "g.tif", DEEP[..., 0], photometric="minisblack", **options)
    assert_decodes_to(tmp_path / "g.tif", GREY)


def test_sixteen_bits_whose_zero_is_white_are_inverted(tmp_path):
    tifffile.imwrite(tmp_path / "w.tif", DEEP[..., 0], photometric="miniswhite")
    assert_decodes_to(tmp_path / "w.tif", 255 - GREY)


def test_black_and_white_of_sixteen_bits_are_black_and_white(tmp_path):
    ends = np.array([[0, 65535]], np.uint16)
    expected = np.array([[[0] * 3, [255] * 3]])
    assert_decodes_to(write_png(tmp_path / "g.png", ends, 0), expected)
    assert_decodes_to(write_png(tmp_path / "rgb.png", np.repeat(ends[..., None], 3, axis=2), 2), expected)


def test_sixteen_bit_lzw_tiff_is_read(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tif"), DEEP[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    assert_decodes_to(tmp_path / "a.tif", RGB)


# Turns


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.jpg", "a.tif"])
def test_the_orientation_is_applied(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth = cv2.GaussianBlur(RGB, (0, 0), 4) if name == "a.jpg" else RGB
    options = {"exif": exif, "lossless": True} if name == "a.webp" else {"exif": exif}
    path = save(tmp_path / name, Image.fromarray(smooth), **options)
    assert_decodes_to(path, TURNS[orientation](smooth), tolerance=20 if name == "a.jpg" else 0)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("samples", [RGB[..., 0], DEEP[..., 0], DEEP], ids=["grey", "deep-grey", "deep-rgb"])
def test_the_orientation_of_every_tiff_is_applied(tmp_path, orientation, compression, samples):
    tifffile.imwrite(
        tmp_path / "a.tif",
        samples,
        photometric="rgb" if samples.ndim == 3 else "minisblack",
        compression=compression,
        extratags=[(274, "H", 1, orientation, True)],
    )
    assert_decodes_to(tmp_path / "a.tif", TURNS[orientation](RGB if samples.ndim == 3 else GREY))
