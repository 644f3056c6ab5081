import os
import signal

import numpy as np
import pytest
from PIL import Image

from mds_lightning.audit import image_decoding as files
from mds_lightning.audit.image_decoding import decode_images
from mds_lightning.data.decode import ImageError
from mds_lightning.data.stain_normalization import choose_stain


@pytest.fixture
def images(tmp_path):
    """Row to file: 30 images, row 12 cut off, row 20 too large, row 25 absent."""
    paths = {}
    for row in range(2, 32):
        shape = (200, 200, 3) if row == 20 else (8, 10, 3)
        path = tmp_path / f"{row}.png"
        Image.fromarray(np.full(shape, row, np.uint8)).save(path)
        paths[row] = path
    paths[12].write_bytes(paths[12].read_bytes()[:45])
    paths[25].unlink()
    return paths


@pytest.mark.parametrize("workers", [1, 2])
def test_every_image_is_decoded_in_one_process_or_several(images, workers):
    decoded = list(decode_images(images, max_pixels=10_000, workers=workers, progress=False))
    assert [image.row for image in decoded] == list(images)
    faults = {image.row: image.fault for image in decoded if image.fault is not None}
    assert list(faults) == [12, 20, 25]
    assert "12.png" in faults[12]
    assert "truncated" in faults[12]
    assert "max_pixels=10000" in faults[20]
    assert "does not exist" in faults[25]
    assert {image.shape for image in decoded if image.row not in faults} == {(8, 10)}


class _Told(dict):
    """Rows and files that count how many of them were asked for."""

    asked = 0

    def items(self):
        for item in super().items():
            self.asked += 1
            yield item


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 8 * (4 * 2 + 1))])
def test_few_images_are_under_way_however_many_there_are(images, workers, most):
    many = _Told(dict.fromkeys(range(1000), images[2]))
    decoded = decode_images(many, max_pixels=10_000, workers=workers, progress=False)
    assert next(decoded).row == 0
    assert 1 <= many.asked <= most
    assert next(decoded).row == 1
    decoded.close()
    assert many.asked <= most + 8


def test_no_image_is_no_fault():
    assert list(decode_images({}, max_pixels=1)) == []


def _die(row, path, max_pixels, stain):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_told_as_want_of_memory(images, monkeypatch):
    monkeypatch.setattr(files, "_decode", _die)
    with pytest.raises(ImageError, match="was killed after 0 of 30, most likely for want of memory"):
        list(decode_images(images, max_pixels=10_000, workers=2, progress=False))


def test_an_image_that_cannot_be_normalised_is_faulty_if_that_is_asked(images):
    of_one_colour = {2: images[2]}
    [plain] = decode_images(of_one_colour, 10_000)
    [stained] = decode_images(of_one_colour, 10_000, stain=choose_stain("macenko", None, 1))
    assert plain.fault is None
    assert "its stain cannot be normalised" in stained.fault
