import os
import signal

import numpy as np
import pytest
from PIL import Image

from mds_lightning.audit import image_decoding
from mds_lightning.audit.image_decoding import decode_images
from mds_lightning.data.decode import ImageError
from mds_lightning.data.stain_normalization import choose_stain


@pytest.fixture
def images(tmp_path):
    """Row to file: 30 images, row 12 truncated, row 20 too large, row 25 missing."""
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
    faults = {image.row: image.finding for image in decoded if image.finding is not None}
    assert list(faults) == [12, 20, 25]
    assert "12.png" in faults[12]
    assert "truncated" in faults[12]
    assert "max_pixels=10000" in faults[20]
    assert "does not exist" in faults[25]
    assert {image.shape for image in decoded if image.row not in faults} == {(8, 10)}


class _Counted(dict):
    """Rows and files; counts how many of them were requested."""

    requested = 0

    def items(self):
        for item in super().items():
            self.requested += 1
            yield item


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 8 * (4 * 2 + 1))])
def test_few_images_are_requested_ahead(images, workers, most):
    many = _Counted(dict.fromkeys(range(1000), images[2]))
    decoded = decode_images(many, max_pixels=10_000, workers=workers, progress=False)
    assert next(decoded).row == 0
    assert 1 <= many.requested <= most
    assert next(decoded).row == 1
    decoded.close()
    assert many.requested <= most + 8


def test_without_images_there_are_no_records():
    assert list(decode_images({}, max_pixels=1)) == []


def _die(row, path, max_pixels, stain):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_reported_as_lack_of_memory(images, monkeypatch):
    monkeypatch.setattr(image_decoding, "_decode", _die)
    with pytest.raises(ImageError, match="was killed after 0 of 30, most likely for lack of memory"):
        list(decode_images(images, max_pixels=10_000, workers=2, progress=False))


def test_an_image_that_cannot_be_normalised_is_undecodable_if_requested(images):
    single_colour = {2: images[2]}
    [plain] = decode_images(single_colour, 10_000)
    [stained] = decode_images(single_colour, 10_000, stain=choose_stain("macenko", None, 1))
    assert plain.finding is None
    assert "its stain cannot be normalised" in stained.finding
