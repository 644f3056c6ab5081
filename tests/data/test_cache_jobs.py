"""Several and killed jobs that fill one cache."""

import multiprocessing
import random
import signal
import subprocess
import sys

import pytest

from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.resize_spec import ResizeSpec

from .fields import SPECS, tree, write_fields

BUILD = """
import sys
import time
from pathlib import Path
from mds_lightning.data import cache, prepared_image
from mds_lightning.data.resize_spec import ResizeSpec
cache._COMMIT_INTERVAL = 0.05
decode = prepared_image.read_field

def decode_slowly(*arguments):
    time.sleep(0.03)
    return decode(*arguments)

prepared_image.read_field = decode_slowly
images, folder = Path(sys.argv[1]), Path(sys.argv[2])
parameters = cache.CacheParameters(folder, workers=2)
specs = (ResizeSpec((30, 40), 2**0.5), ResizeSpec((30, 40)))
sys.stdout.write("ready\\n"); sys.stdout.flush()
cache.FieldCache(parameters).fill(sorted(images.iterdir()), specs, 10**7)
"""


def start_build(images, folder):
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(images), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def build(images, folder):
    specs = (ResizeSpec((30, 40), 2**0.5), ResizeSpec((30, 40)))
    FieldCache(CacheParameters(folder, workers=1)).fill(sorted(images.iterdir()), specs, 10**7)


@pytest.fixture(scope="module")
def large_images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    write_fields(folder, 16, height=300, width=400)
    return folder


@pytest.fixture(scope="module")
def whole(large_images, tmp_path_factory):
    """The cache of `large_images`, filled without interruption."""
    folder = tmp_path_factory.mktemp("whole") / "cache"
    build(large_images, folder)
    return tree(folder)


def test_two_simultaneous_jobs_leave_one_valid_store(tmp_path, large_images, whole):
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=build, args=(large_images, tmp_path / "cache")) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
        assert job.exitcode == 0
    assert tree(tmp_path / "cache") == whole


def test_filling_killed_at_random_times_ends_with_the_same_bytes(tmp_path, large_images, whole):
    pixels = tmp_path / "cache" / SPECS[0].key / "pixels.u8"
    size = len(whole[f"{SPECS[0].key}/pixels.u8"])
    for fraction in sorted(random.Random(0).uniform(0.02, 0.9) for _ in range(5)):
        process = start_build(large_images, tmp_path / "cache")
        while not (pixels.is_file() and pixels.stat().st_size >= fraction * size):
            assert process.poll() is None
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
    assert tree(tmp_path / "cache") != whole
    build(large_images, tmp_path / "cache")
    assert tree(tmp_path / "cache") == whole


def test_incomplete_writes_of_a_killed_job_are_overwritten(tmp_path, large_images, whole):
    folder = tmp_path / "cache"
    build(large_images, folder)
    for spec in SPECS:
        pixels, index = folder / spec.key / "pixels.u8", folder / spec.key / "index.jsonl"
        lines = index.read_bytes().splitlines(keepends=True)
        # As if killed after some pixels were written and in the middle of a line.
        index.write_bytes(b"".join(lines[:8]) + lines[8][:20])
        content = pixels.read_bytes()
        pixels.write_bytes(content[: len(content) // 2] + b"\xff" * 1000)
    build(large_images, folder)
    assert tree(folder) == whole
