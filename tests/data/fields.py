"""Files of random fields, and the bytes of a cache, for several test files."""

import time

import numpy as np
from PIL import Image

from mds_lightning.data.resize_spec import ResizeSpec

SPECS = (ResizeSpec((30, 40), 2**0.5), ResizeSpec((30, 40)))


def write_fields(folder, number, height=90, width=120):
    """Files of noise."""
    paths = []
    for index in range(number):
        pixels = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
        path = folder / f"{index:04d}.png"
        Image.fromarray(pixels).save(path)
        paths.append(path)
    return paths


def rest(folder):
    """Wait until the time stamps of the files in `folder` are trusted: ctime cannot be set."""
    youngest = max(path.stat().st_ctime for path in folder.iterdir())
    time.sleep(max(0.0, 2.05 - (time.time() - youngest)))


def tree(folder):
    """Every file of a cache that pixels depend on, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name in ("pixels.u8", "index.jsonl")
    }
