"""Full disks: no incomplete file under its final name, a clear error, and a way to continue."""

import errno
import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.cache_capacity import CacheFullError
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.studies.checkpoint_io import AtomicCheckpointIO

MEGABYTE = 1 << 20


class Usage(NamedTuple):
    """As of `shutil.disk_usage`."""

    total: int
    used: int
    free: int


def mount(*arguments):
    return subprocess.run(["mount", "-t", "tmpfs", *arguments], capture_output=True, check=False).returncode


@pytest.fixture
def small_disk(tmp_path):
    """A folder that is a disk of 4 MB; `resize` gives it another size."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not sys.platform.startswith("linux") or mount("-o", "size=4m", "tmpfs", str(disk)) != 0:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def resize(disk, megabytes):
    assert mount("-o", f"remount,size={megabytes}m", "tmpfs", str(disk)) == 0


def fill(disk, leave):
    """Fill the disk except for `leave` bytes."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "ballast").write_bytes(bytes(free - leave))


def write_fields(folder, number, side):
    folder.mkdir()
    for index in range(number):
        pixels = np.full((side, side, 3), index, np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03d}.png")
    return sorted(folder.iterdir())


def test_a_cache_on_a_small_disk_stops_before_the_disk_is_full_and_continues(small_disk, tmp_path):
    paths = write_fields(tmp_path / "images", 60, 200)
    spec, cache = ResizeSpec((200, 200)), FieldCache(CacheParameters(small_disk / "cache", workers=2))
    with pytest.raises(CacheFullError, match=r"room for .* 60 images need about 0\.0072 GB: free some space"):
        cache.fill(paths, [spec], 10**6)
    assert os.statvfs(small_disk).f_bavail > 0
    resize(small_disk, 16)
    filling = cache.fill(paths, [spec], 10**6)
    store = cache.store(spec)
    for number, path in enumerate(paths):
        assert (store.read(store.place(filling.contents[path])) == number).all()


def test_a_disk_filled_by_others_loses_no_stored_image(small_disk, tmp_path, monkeypatch):
    paths = write_fields(tmp_path / "images", 20, 200)
    spec, cache = ResizeSpec((200, 200)), FieldCache(CacheParameters(small_disk / "cache", workers=1))
    first = cache.fill(paths[:4], [spec], 10**6)
    before = (small_disk / "cache" / spec.key / "pixels.u8").read_bytes()
    fill(small_disk, MEGABYTE // 2)
    monkeypatch.setattr(
        "mds_lightning.data.cache_capacity.shutil.disk_usage", lambda _: Usage(10**9, 0, 10**9)
    )
    with pytest.raises(CacheFullError, match="free some space"):
        cache.fill(paths, [spec], 10**6)
    assert (small_disk / "cache" / spec.key / "pixels.u8").read_bytes() == before
    assert all(content in cache.store(spec) for content in first.contents.values())
    (small_disk / "ballast").unlink()
    assert len(cache.fill(paths, [spec], 10**6).contents) == 20


def write_predictions(path):
    table = pd.DataFrame({"image": [f"{index:060d}" for index in range(20_000)], "prob": 0.5})
    with write_atomically(path) as temporary:
        table.to_parquet(temporary, index=False, compression=None)


def write_map(path):
    with write_atomically(path) as temporary:
        np.savez_compressed(temporary, importance=np.random.default_rng(0).random((2, 300, 300)))


def write_checkpoint(path):
    AtomicCheckpointIO().save_checkpoint({"weight": torch.rand(400_000)}, path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("predictions.parquet", write_predictions),
        ("map.npz", write_map),
        ("last.ckpt", write_checkpoint),
    ],
)
def test_a_file_that_does_not_fit_is_named_and_leaves_nothing_incomplete(small_disk, name, write):
    path = small_disk / name
    write(path)
    earlier = path.read_bytes()
    fill(small_disk, MEGABYTE // 4)
    with pytest.raises(OSError, match="No space left") as raised:
        write(path)
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.filename == str(path)
    assert path.read_bytes() == earlier
    assert sorted(file.name for file in small_disk.iterdir()) == sorted([name, "ballast"])
    (small_disk / "ballast").unlink()
    write(path)


def test_training_on_a_full_disk_reports_it_and_continues_once_there_is_room(
    small_disk, tmp_path, mds_lightning
):
    arguments = [
        "train", "study=full",
        f"paths.runs={small_disk}",
        "cohort.simulation.patients={MDS:4,AML:0,donor:4}", "cohort.simulation.fields={MDS:1,AML:1,donor:1}",
        "cohort.simulation.external_patients={}", "cohort.simulation.width=96", "cohort.simulation.height=72",
        "folds.n_splits=2", "backbone=squeezenet1_1", "data.image_size=64", "trainer.max_epochs=1",
        "callbacks.occlusion_maps.images=0",
    ]  # fmt: skip
    stopped = mds_lightning(*arguments, cwd=tmp_path)
    directory = small_disk / "full" / "squeezenet1_1" / "fold-0"
    assert stopped.returncode == 2, stopped.stderr
    assert "no space left on the disk; free some and run the command again" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not list((directory / "checkpoints").iterdir())
    resize(small_disk, 200)
    continued = mds_lightning(*arguments, cwd=tmp_path)
    assert continued.returncode == 0, continued.stderr
    assert (directory / "done.json").is_file()
