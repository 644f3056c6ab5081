"""JPEG files whose data end before their pixels do."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mds_lightning.data.decode import ImageError, decode_image

END = b"\xff\xd9"
NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
FIELD = cv2.resize(NOISE, (300, 200), interpolation=cv2.INTER_CUBIC)
KINDS = {
    "sequential": ("RGB", {}),
    "no subsampling": ("RGB", {"subsampling": 0}),
    "optimised": ("RGB", {"optimize": True}),
    "restart markers": ("RGB", {"restart_marker_rows": 1}),
    "progressive": ("RGB", {"progressive": True}),
    "grey": ("L", {}),
    "progressive grey": ("L", {"progressive": True}),
    "CMYK": ("CMYK", {}),
}


def encode(mode="RGB", image=FIELD, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).convert(mode).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fraction", [0.4, 0.9])
def test_a_cut_file_with_an_end_marker_is_refused(tmp_path, kind, fraction):
    mode, options = KINDS[kind]
    content = encode(mode, **options)
    path = tmp_path / "a.jpg"
    cut = content[: int(len(content) * fraction)]
    path.write_bytes(cut.rstrip(b"\xff") + END)
    Image.open(path).load()  # Pillow does not notice.
    with pytest.raises(ImageError, match=r"is damaged or truncated \(pixels are missing.*copy it again"):
        decode_image(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_read_also_if_it_is_grey_to_the_end(tmp_path, kind):
    mode, options = KINDS[kind]
    grey = FIELD.copy()
    grey[100:] = 128
    for image in (FIELD, grey, np.full_like(FIELD, 128)):
        content = encode(mode, image, **options)
        for more in (b"", END, bytes(100), content):
            path = tmp_path / "a.jpg"
            path.write_bytes(content + more)
            assert decode_image(path).shape == (200, 300, 3)


def test_bytes_that_were_lost_in_the_middle_are_noticed(tmp_path):
    content = encode()
    path = tmp_path / "a.jpg"
    middle = len(content) // 2
    path.write_bytes(content[:middle] + content[middle + len(content) // 4 :])
    with pytest.raises(ImageError, match="is damaged or truncated"):
        decode_image(path)


def test_a_large_image_is_compared_without_the_limit_of_pillow(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(progressive=True))
    assert decode_image(path).shape == (200, 300, 3)
