"""Images of a remote folder: each is downloaded once into the cache; afterwards no network is needed."""

import threading
import time
import uuid

import fsspec
import numpy as np
import pytest
import torch
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from mds_lightning.cohort.finding import CohortError
from mds_lightning.cohort.manifest import read_cohort
from mds_lightning.cohort.path_or_url import locate_file, locate_folder
from mds_lightning.cohort.remote_error import RemoteError
from mds_lightning.cohort.remote_folder import CONCURRENT_REQUESTS
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.decode import ImageError
from mds_lightning.data.field_preparation import open_cache, prepare_fields
from mds_lightning.data.input_size import input_size
from mds_lightning.data.loading_parameters import LoadingParameters, required_resize_specs

AUGMENTATION = AugmentationParameters(crop=0.5, flips=True)


def upload(folder, url):
    filesystem, _ = fsspec.core.url_to_fs(url, skip_instance_cache=True)
    filesystem.pipe({f"{url}/{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()})
    return url


@pytest.fixture
def memory(cohort, tmp_path):
    return upload(tmp_path, f"memory://{uuid.uuid4().hex}")


def read(url, task):
    return read_cohort(locate_file(f"{url}/manifest.csv", "cohort.manifest"), task)


def prepare(cohort, folder, **options):
    loading = LoadingParameters(size=(32, 48), batch_size=8, **options)
    cache = FieldCache(CacheParameters(folder / "cache"))
    specs = required_resize_specs(loading, AUGMENTATION)
    return loading, *prepare_fields(cohort, specs, loading, cache, folder / "skipped.csv")


def batches(cohort, task, folds, loading, fields, skipped=()):
    module = SmearDataModule(
        cohort, task, folds.fold(0), loading, AUGMENTATION, "balanced", 3, fields, skipped
    )
    module.setup("fit")
    yield from module.train_dataloader()
    module.setup("predict")
    for loader in module.predict_dataloader():
        yield from loader


def test_the_network_receives_the_same_bytes_as_from_a_disk(tmp_path, cohort, task, folds, memory):
    remote = read(memory, task)
    assert remote.hash == cohort.hash
    seen = [
        list(batches(one, task, folds, *prepare(one, tmp_path / name)))
        for name, one in (("local", cohort), ("remote", remote))
    ]
    for here, there in zip(*seen, strict=True):
        assert torch.equal(here["image"], there["image"])
        assert torch.equal(here["row"], there["row"])


def test_each_object_is_read_once_and_a_changed_one_again(tmp_path, cohort, task, folds, store):
    url = upload(tmp_path, f"{store.bucket}/smears")
    images = cohort.table["image"].tolist()

    def start():
        store.clear()
        remote = read(url, task)
        prepared = prepare(remote, tmp_path, num_workers=2)
        names = [path.rpartition("/")[2] for path in store.reads]
        assert names.pop(0) == "manifest.csv"
        return remote, prepared, sorted(names)

    _, (_, first, _), names = start()
    assert names == sorted(images)
    _, _, names = start()
    assert names == []
    changed = images[0]
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / changed)
    store.filesystem().pipe_file(f"{url}/{changed}", (tmp_path / changed).read_bytes())
    remote, (loading, fields, _), names = start()
    assert names == [changed]
    spec = required_resize_specs(loading, AUGMENTATION)[1]
    assert fields.read(0, spec).max() == 0
    assert first.read(0, spec).max() > 0
    # The server is not needed any more, even in worker processes.
    store.stop()
    assert sum(1 for _ in batches(remote, task, folds, loading, fields)) > 3


def test_sizes_are_read_from_headers(tmp_path, cohort, task, memory, monkeypatch):
    largest = tmp_path / cohort.table["image"].iloc[0]
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(pixels).save(largest)
    fsspec.filesystem("memory").pipe_file(f"{memory}/{largest.name}", largest.read_bytes())
    fetched = []
    cat_file = MemoryFileSystem.cat_file

    def count(self, path, start=None, end=None, **options):
        fetched.append(end - start)
        return cat_file(self, path, start=start, end=end, **options)

    remote = read(memory, task)
    monkeypatch.setattr(MemoryFileSystem, "cat_file", count)
    assert input_size(remote, 96, 10**6) == (64, 96)
    assert len(fetched) == (~remote.table["external"]).sum()
    assert max(fetched) <= 1 << 16 < largest.stat().st_size


def test_concurrent_requests_are_several_and_bounded(tmp_path, cohort, task, memory, monkeypatch):
    lock, running, most = threading.Lock(), 0, 0
    cat_file = MemoryFileSystem.cat_file

    def slow(self, path, **options):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return cat_file(self, path, **options)

    monkeypatch.setattr(MemoryFileSystem, "cat_file", slow)
    prepare(read(memory, task), tmp_path)
    assert 4 < most <= CONCURRENT_REQUESTS


def test_a_removed_or_unreadable_object_is_named(tmp_path, cohort, task, memory, monkeypatch):
    gone, closed = cohort.table["image"].iloc[:2]
    remote = read(memory, task)
    remote.path(gone).stat()
    fsspec.filesystem("memory").rm(f"{memory}/{gone}")
    cat_file = MemoryFileSystem.cat_file

    def refuse(self, path, **options):
        if path.endswith(closed):
            raise PermissionError("Access Denied")
        return cat_file(self, path, **options)

    monkeypatch.setattr(MemoryFileSystem, "cat_file", refuse)
    with pytest.raises(ImageError) as refused:
        prepare(remote, tmp_path)
    assert f"2 of {len(cohort.table)} images" in str(refused.value)
    assert f"{memory}/{gone}: does not exist: restore it, or remove its row" in str(refused.value)
    assert f"{memory}/{closed}: cannot be read (Access Denied): check its permissions" in str(refused.value)
    _, _, skipped = prepare(remote, tmp_path, on_error="skip")
    assert skipped == {0, 1}


def test_an_unreachable_server_skips_nothing_and_the_command_can_be_repeated(
    tmp_path, cohort, task, memory, monkeypatch
):
    remote = read(memory, task)
    with monkeypatch.context() as patched:
        cat_file, asked = MemoryFileSystem.cat_file, []

        def break_off(self, path, **options):
            asked.append(path)
            if len(asked) > 20:
                raise ConnectionResetError("Connection reset by peer")
            return cat_file(self, path, **options)

        patched.setattr(MemoryFileSystem, "cat_file", break_off)
        with pytest.raises(RemoteError, match=r"server cannot be reached .*run the same command again"):
            prepare(remote, tmp_path, on_error="skip")
    assert not (tmp_path / "skipped.csv").exists()
    assert prepare(read(memory, task), tmp_path, on_error="skip")[2] == frozenset()


def test_one_photograph_of_two_patients_is_refused_once_it_is_read(tmp_path, cohort, task, memory):
    first, second = cohort.table["image"].iloc[[0, -1]]
    fsspec.filesystem("memory").pipe_file(f"{memory}/{second}", (tmp_path / first).read_bytes())
    with pytest.raises(CohortError, match=f"'{second}' of patient .* is the same photograph .* as '{first}'"):
        prepare(read(memory, task), tmp_path)


def test_without_a_cache_a_remote_folder_is_refused(tmp_path, cohort, task, memory):
    switched_off = CacheParameters(tmp_path / "cache", enabled=False)
    with pytest.raises(ValueError, match=f"cache.enabled=false would download each image under {memory}"):
        open_cache(switched_off, read(memory, task))
    assert open_cache(switched_off, cohort) is None
    remote_root = read_cohort(cohort.manifest, task, locate_folder(memory, "cohort.root"))
    assert isinstance(open_cache(CacheParameters(tmp_path / "cache"), remote_root), FieldCache)
