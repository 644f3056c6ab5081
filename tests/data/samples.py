"""A small field, for several test files."""

import numpy as np

from mds_lightning.data.decode import decode_image, image_shape

HEIGHT, WIDTH = 24, 40
#: A field that no turn or mirror maps onto itself, with every channel different.
DEEP = (np.arange(HEIGHT * WIDTH * 3).reshape(HEIGHT, WIDTH, 3) * 22).astype(np.uint16)
RGB = (DEEP >> 8).astype(np.uint8)
GREY = np.repeat(RGB[..., :1], 3, axis=2)


def save(path, image, **options):
    image.save(path, **options)
    return path


def assert_decodes_to(path, expected, tolerance=0.0):
    pixels = decode_image(path, 10**6)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(float) - expected).max() <= tolerance
    assert image_shape(path, 10**6) == expected.shape[:2]
