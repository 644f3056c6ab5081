"""Malformed files: each is read correctly or refused by name, with and without the cache, without a crash.

`MDS_FUZZ=100000 python -m pytest tests/data/test_hostile.py` mutates more files than the 2,000 of every run.
"""

import os
import time
import warnings

import numpy as np
import pytest

from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.decode import ImageError, decode_image, image_shape
from mds_lightning.data.resize_spec import ResizeSpec

from .corpus import FIELD, WHOLE, encode, write_corpus

MAX_PIXELS = 10**6
FUZZ = int(os.environ.get("MDS_FUZZ", "2000"))
#: What is mutated.
SEEDS = WHOLE | {
    "progressive jpg": encode("JPEG", progressive=True),
    "lzw tif": encode("TIFF", compression="tiff_lzw"),
    "lossy webp": encode("WEBP"),
}
#: Nothing that small may take longer, seconds of CPU time.
PATIENCE = 5.0


@pytest.fixture(autouse=True)
def no_remarks():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def outcome(read, path):
    """What `read` gives for `path`, or its refusal; anything else fails the test."""
    began = time.process_time()
    try:
        found = read(path, MAX_PIXELS)
    except ImageError as error:
        found = str(error)
    assert time.process_time() - began < PATIENCE
    if isinstance(found, str):
        assert found.startswith(f"{path}: ")
        assert "\n" not in found
    return found


def test_the_corpus_is_large(corpus):
    assert len(corpus) >= 60


def test_every_file_is_read_correctly_or_refused_by_name(corpus):
    wrong = {}
    for path, expected in corpus.items():
        found = outcome(decode_image, path)
        if isinstance(expected, str):
            right = isinstance(found, str) and expected in found
        else:
            pixels, tolerance = expected
            right = (
                not isinstance(found, str)
                and found.shape == pixels.shape
                and np.abs(found.astype(float) - pixels).max() <= tolerance
            )
        if not right:
            wrong[path.name] = found if isinstance(found, str) else "other pixels"
    assert not wrong


def test_the_header_gives_the_shape_of_the_decoded_image(corpus):
    for path in corpus:
        pixels, shape = outcome(decode_image, path), outcome(image_shape, path)
        if not isinstance(pixels, str):
            assert shape == pixels.shape[:2]


def test_the_cache_reads_and_refuses_the_same(corpus, tmp_path):
    spec = ResizeSpec(FIELD.shape[:2])
    cache = FieldCache(CacheParameters(tmp_path / "cache", workers=2))
    filling = cache.fill(list(corpus), [spec], MAX_PIXELS)
    store = cache.store(spec)
    assert filling.contents.keys() | filling.faults.keys() == corpus.keys()
    for path in corpus:
        found = outcome(decode_image, path)
        if isinstance(found, str):
            assert filling.faults[path] == found
        else:
            np.testing.assert_array_equal(store.read(store.place(filling.contents[path])), spec(found))


def mutate(content, random):
    """A copy of `content` with bytes flipped, set, left out, put in, doubled or swapped."""
    damaged = bytearray(content)
    for _ in range(random.integers(1, 4)):
        start = int(random.integers(len(damaged)))
        length = int(2 ** random.uniform(0, 7))
        match int(random.integers(6)):
            case 0:
                damaged[start] ^= 1 << int(random.integers(8))
            case 1:
                damaged[start : start + length] = random.bytes(length)
            case 2:
                del damaged[start : start + length]
            case 3:
                damaged[start:start] = random.bytes(length)
            case 4:
                damaged[start:start] = damaged[start : start + length]
            case _:
                damaged[start : start + 4] = int(random.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])).to_bytes(4)
        if not damaged:
            return b"\0"
    return bytes(damaged)


def test_mutated_files_are_decoded_or_refused(tmp_path):
    path = tmp_path / "mutant"
    kinds = list(SEEDS)
    for number in range(FUZZ):
        random = np.random.default_rng([7, number])
        kind = kinds[number % len(kinds)]
        path.write_bytes(mutate(SEEDS[kind], random))
        pixels, shape = outcome(decode_image, path), outcome(image_shape, path)
        if isinstance(pixels, str):
            continue
        assert pixels.dtype == np.uint8
        assert pixels.shape == (*shape, 3)
        assert pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS
        # A PNG has check sums: it is whole or refused.
        assert kind != "png" or np.array_equal(pixels, FIELD), number
