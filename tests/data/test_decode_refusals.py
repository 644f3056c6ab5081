import io
import os
import struct
import threading
import warnings
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from mds_lightning.data.decode import ImageError, decode_image, image_shape

from .samples import DEEP, HEIGHT, RGB, WIDTH, assert_decodes_to, save


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def refusal(path, max_pixels=10**6):
    with pytest.raises(ImageError) as raised:
        decode_image(path, max_pixels)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    return message


def test_images_are_refused_by_their_pixels_before_they_are_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    # 60,000 x 60,000 pixels in the header, and not one of them in the file.
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    empty = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + empty)
    message = refusal(path)
    assert "60000 x 60000 = 3600000000 pixels" in message
    assert "data.max_pixels=1000000" in message
    with pytest.raises(ImageError, match=r"data\.max_pixels"):
        image_shape(path)


def test_the_pixel_limit_is_exact_and_replaces_pillows(tmp_path, monkeypatch):
    path = save(tmp_path / "a.tif", Image.fromarray(RGB))
    assert decode_image(path, HEIGHT * WIDTH).shape == (HEIGHT, WIDTH, 3)
    refusal(path, HEIGHT * WIDTH - 1)
    # Pillow's own limit would refuse twice its number of pixels, and warn of more than once.
    for limit in (HEIGHT * WIDTH // 4, HEIGHT * WIDTH - 1):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert decode_image(path, HEIGHT * WIDTH).shape == (HEIGHT, WIDTH, 3)
        assert limit == Image.MAX_IMAGE_PIXELS


def test_threads_decode_in_parallel(tmp_path):
    path, limit, shapes = save(tmp_path / "a.png", Image.fromarray(RGB)), Image.MAX_IMAGE_PIXELS, []
    threads = [
        threading.Thread(target=lambda: shapes.extend(decode_image(path).shape for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == [(HEIGHT, WIDTH, 3)] * 80
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("BMP", {}),
        ("WEBP", {}),
    ],
)
@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.95])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_truncated_file_is_refused(tmp_path, kind, options, fraction):
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)).save(
        buffer, kind, **options
    )
    path = tmp_path / "a"
    path.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * fraction)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        message = refusal(path)
    assert any(fix in message for fix in ("copy it again", "export it again"))


@pytest.mark.parametrize("name", ["a.tif", "a.webp", "a.png"])
def test_several_pages_or_frames_are_refused(tmp_path, name):
    second = Image.fromarray(RGB[::-1].copy())
    path = save(tmp_path / name, Image.fromarray(RGB), save_all=True, append_images=[second])
    assert "2 pages or frames" in refusal(path)


def test_a_phone_jpeg_with_a_second_image_gives_the_first(tmp_path):
    smooth = cv2.GaussianBlur(RGB, (0, 0), 4)
    second = Image.fromarray(smooth[::-1].copy())
    path = save(
        tmp_path / "a.jpg", Image.fromarray(smooth), format="MPO", save_all=True, append_images=[second]
    )
    assert_decodes_to(path, smooth, tolerance=20)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (DEEP[..., 0].astype(np.float32), "floating-point"),
        (DEEP[..., 0].astype(np.uint32), "32-bit"),
        (DEEP[..., 0].astype(np.int16), "signed"),
    ],
)
def test_samples_of_undefined_range_are_refused(tmp_path, samples, reason):
    tifffile.imwrite(tmp_path / "a.tif", samples)
    message = refusal(tmp_path / "a.tif")
    assert reason in message
    assert "export it with 8 or 16 bits" in message


def test_files_that_pillow_reads_wrongly_are_refused(tmp_path):
    planes = np.moveaxis(DEEP, 2, 0).copy()
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    assert "in planes" in refusal(tmp_path / "a.tif")
    lab = Image.new("LAB", (4, 4))
    assert "LAB" in refusal(save(tmp_path / "lab.tif", lab))


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(100), b"%PDF-1.4", b"<svg/>", bytes(1000)])
def test_files_of_unknown_formats_are_refused(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert "JPEG, PNG, TIFF, BMP or WebP" in refusal(path)


def test_absent_files_and_folders_are_refused(tmp_path):
    assert "does not exist" in refusal(tmp_path / "absent.png")
    assert "is not a regular file" in refusal(tmp_path)
    if os.geteuid() != 0:
        path = save(tmp_path / "a.png", Image.fromarray(RGB))
        path.chmod(0)
        assert "permissions" in refusal(path)


def _encoded():
    """One small image of every kind, as bytes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind, mode, options in (
        ("JPEG", "RGB", {"exif": exif}),
        ("PNG", "RGB", {"exif": exif}),
        ("PNG", "P", {"transparency": 3}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
        ("BMP", "RGB", {}),
        ("WEBP", "RGB", {"exif": exif}),
    ):
        buffer = io.BytesIO()
        Image.fromarray(RGB).convert(mode).save(buffer, kind, **options)
        yield buffer.getvalue()


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(list(_encoded())),
    st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_a_damaged_file_is_decoded_or_refused(tmp_path, content, damage):
    damaged = bytearray(content)
    for place, value in damage:
        damaged[place % len(damaged)] = value
    path = tmp_path / "a"
    path.write_bytes(damaged)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read in (decode_image, image_shape):
            try:
                read(path, 10**6)
            except ImageError as error:
                assert str(error).startswith(str(path))  # noqa: PT017 (it need not be raised)
