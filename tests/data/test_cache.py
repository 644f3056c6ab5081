"""The cache returns the same bytes as decoding, whatever happens while it is filled."""

import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.cache_capacity import CacheFullError
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.decode import decode_image
from mds_lightning.data.field_preparation import prepare_fields
from mds_lightning.data.file_catalog import Fingerprint
from mds_lightning.data.loading_parameters import LoadingParameters, required_resize_specs
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import read_field

from .fields import SPECS, rest, tree, write_fields

PAPER = AugmentationParameters(
    crop=0.5, flips=True, quarter_turns=True, rotation=15, shear=5, translation=0.05,
    brightness=0.1, contrast=0.1, saturation=0.1, hue=0.02,
)  # fmt: skip


def make_cache(folder, **parameters):
    return FieldCache(CacheParameters(**{"directory": folder, "workers": 2} | parameters))


def count_decodes(monkeypatch):
    """A list that grows by one path for every image the cache decodes."""
    decoded = []

    def decode(path, *arguments):
        decoded.append(path)
        return read_field(path, *arguments)

    monkeypatch.setattr("mds_lightning.data.prepared_image.read_field", decode)
    return decoded


@pytest.mark.parametrize("workers", [0, 2])
def test_the_network_receives_the_same_bytes_with_and_without_a_cache(tmp_path, cohort, task, folds, workers):
    loading = LoadingParameters(size=(32, 48), batch_size=4, num_workers=workers)
    specs = required_resize_specs(loading, PAPER)
    modules = []
    for cache in (None, make_cache(tmp_path / "cache")):
        fields, skipped = prepare_fields(cohort, specs, loading, cache, tmp_path / "skipped.csv")
        module = SmearDataModule(cohort, task, folds.fold(0), loading, PAPER, "balanced", 3, fields, skipped)
        modules.append(module)
    for stage in ("fit", "predict"):
        for module in modules:
            module.setup(stage)
        loaders = [
            [module.train_dataloader()] if stage == "fit" else module.predict_dataloader()
            for module in modules
        ]
        for plain, cached in zip(*loaders, strict=True):
            for one, other in zip(plain, cached, strict=True):
                for key in ("image", "target", "row"):
                    assert torch.equal(one[key], other[key])
    row = modules[0].rows("test")[0]
    assert torch.equal(modules[0].image(row), modules[1].image(row))


def test_every_image_is_decoded_once_for_all_sizes_and_runs(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    paths = write_fields(tmp_path / "images", 6)
    rest(tmp_path / "images")
    decoded = count_decodes(monkeypatch)
    first = make_cache(tmp_path / "cache").fill(paths, SPECS, 10**6)
    assert sorted(decoded) == paths
    opened = []
    monkeypatch.setattr("mds_lightning.data.prepared_image.read_image_file", opened.append)
    again = make_cache(tmp_path / "cache").fill(paths[::-1], SPECS, 10**6)
    assert again.contents == first.contents
    assert not opened
    for spec in SPECS:
        store = make_cache(tmp_path / "cache").store(spec)
        for path in paths:
            pixels = store.read(store.place(first.contents[path]))
            np.testing.assert_array_equal(pixels, spec(decode_image(path)))


def test_shapes_of_cached_images_need_no_open_file(tmp_path):
    (tmp_path / "images").mkdir()
    paths = write_fields(tmp_path / "images", 3, height=50, width=70)
    rest(tmp_path / "images")
    cache = make_cache(tmp_path / "cache")
    assert cache.shapes(paths) == {}
    cache.fill(paths, SPECS, 10**6)
    assert cache.shapes(paths) == dict.fromkeys(paths, (50, 70))


@pytest.mark.parametrize("keep_times", [False, True])
def test_a_changed_image_is_decoded_again(tmp_path, keep_times):
    (tmp_path / "images").mkdir()
    first, second = write_fields(tmp_path / "images", 2)
    rest(tmp_path / "images")
    cache = make_cache(tmp_path / "cache")
    before = cache.fill([first], SPECS, 10**6).contents[first]
    status = first.stat()
    # The same size: an uncompressed image of other pixels has the same length.
    content = second.read_bytes()
    first.write_bytes(content)
    if keep_times:
        os.utime(first, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = cache.fill([first], SPECS, 10**6).contents[first]
    assert after != before
    store = cache.store(SPECS[1])
    np.testing.assert_array_equal(store.read(store.place(after)), SPECS[1](decode_image(second)))


def test_an_image_that_changes_within_the_clock_resolution_is_decoded_again(tmp_path, monkeypatch):
    first = tmp_path / "a.bmp"
    cache = make_cache(tmp_path / "cache")
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(first)
    before = cache.fill([first], SPECS, 10**6).contents[first]
    same = Fingerprint.of(first.stat())
    Image.fromarray(np.ones((40, 40, 3), np.uint8)).save(first)
    # A file system whose clock did not move on: the two files have the same time stamps.
    monkeypatch.setattr(Fingerprint, "of", lambda status: same)
    assert cache.fill([first], SPECS, 10**6).contents[first] != before


def test_a_moved_or_touched_image_is_read_and_not_decoded_again(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    first, second = write_fields(tmp_path / "images", 2)
    rest(tmp_path / "images")
    cache = make_cache(tmp_path / "cache")
    before = cache.fill([first, second], SPECS, 10**6)
    bytes_before = tree(tmp_path / "cache")
    decoded = count_decodes(monkeypatch)
    moved = first.rename(tmp_path / "images" / "moved.png")
    second.touch()
    after = cache.fill([moved, second], SPECS, 10**6)
    assert after.contents == {moved: before.contents[first], second: before.contents[second]}
    assert not decoded
    assert tree(tmp_path / "cache") == bytes_before


def test_another_setting_has_its_own_pixels(tmp_path):
    [path] = write_fields(tmp_path, 1)
    cache = make_cache(tmp_path / "cache")
    other = ResizeSpec((24, 32))
    for spec in (SPECS[1], other):
        content = cache.fill([path], [spec], 10**6).contents[path]
        store = cache.store(spec)
        np.testing.assert_array_equal(store.read(store.place(content)), spec(decode_image(path)))
    assert SPECS[1].key != other.key


def test_other_library_versions_decode_again(monkeypatch):
    before = SPECS[0].key
    monkeypatch.setattr("mds_lightning.data.resize_spec.pillow", "0.0.0")
    assert SPECS[0].key != before


def test_two_files_of_the_same_bytes_are_stored_once(tmp_path):
    [path] = write_fields(tmp_path, 1)
    twin = tmp_path / "twin.png"
    shutil.copy(path, twin)
    contents = make_cache(tmp_path / "cache").fill([path, twin], [SPECS[1]], 10**6).contents
    assert contents[path] == contents[twin]
    assert (tmp_path / "cache" / SPECS[1].key / "pixels.u8").stat().st_size == 30 * 40 * 3


def test_undecodable_files_are_reported_and_do_not_affect_others(tmp_path):
    paths = write_fields(tmp_path, 3)
    paths[1].write_bytes(paths[1].read_bytes()[:100])
    filling = make_cache(tmp_path / "cache").fill([*paths, tmp_path / "absent.png"], SPECS, 10**6)
    assert set(filling.contents) == {paths[0], paths[2]}
    assert "truncated" in filling.faults[paths[1]]
    assert "does not exist" in filling.faults[tmp_path / "absent.png"]


# Room


def test_the_cache_keeps_its_limit_and_estimates_the_room_needed(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    paths = write_fields(tmp_path / "images", 40)
    decoded = count_decodes(monkeypatch)
    each = 30 * 40 * 3
    cache = make_cache(tmp_path / "cache", max_gb=20 * each / 1e9, workers=1)
    with pytest.raises(CacheFullError, match=r"40 images more need about .* GB, but cache\.max_gb allows"):
        cache.fill(paths, [SPECS[1]], 10**6)
    assert len(decoded) < 15
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*")) < 20 * each
    # With more room the same command continues.
    roomy = make_cache(tmp_path / "cache", max_gb=1)
    assert len(roomy.fill(paths, [SPECS[1]], 10**6).contents) == 40


@pytest.mark.parametrize(("key", "value"), [("max_gb", 0), ("workers", 0)])
def test_a_cache_parameter_out_of_range_is_refused_by_its_key(tmp_path, key, value):
    with pytest.raises(ValueError, match=f"cache.{key} is {value}"):
        CacheParameters(tmp_path, **{key: value})
