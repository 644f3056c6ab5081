"""A damaged cache changes no pixel: what is damaged is decoded again, and a warning says so."""

import logging
import shutil

import numpy as np
import pytest
import torch

from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.field_preparation import prepare_fields
from mds_lightning.data.image_error import ImageError
from mds_lightning.data.loading_parameters import LoadingParameters

from .fields import SPECS, rest

LOADING = LoadingParameters(size=(30, 40), batch_size=4)


@pytest.fixture
def prepare(tmp_path, cohort):
    """Opens the cache of the cohort, and fills it if anything is missing."""

    def open_fields():
        cache = FieldCache(CacheParameters(tmp_path / "cache", workers=1))
        return prepare_fields(cohort, SPECS, LOADING, cache, tmp_path / "skipped.csv")[0]

    return open_fields


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)


def read_all(fields, cohort):
    return [fields.read(row, spec).copy() for row in cohort.table.index for spec in SPECS]


@pytest.fixture
def pixels(cohort, tmp_path):
    """Every image in every size, decoded without a cache."""
    return read_all(prepare_fields(cohort, SPECS, LOADING, None, tmp_path / "none.csv")[0], cohort)


def test_an_image_with_a_damaged_byte_is_decoded_again_and_named_once(
    prepare, cohort, pixels, tmp_path, caplog
):
    prepare()
    for spec in SPECS:
        path = tmp_path / "cache" / spec.key / "pixels.u8"
        flip(path, 0)
        flip(path, path.stat().st_size - 1)
    fields = prepare()
    for _ in range(2):
        assert all(map(np.array_equal, read_all(fields, cohort), pixels))
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2 * len(SPECS)
    first = cohort.path(cohort.table["image"].iloc[0])
    assert f"the pixels of {first} in the cache are damaged" in warnings[0]


def test_worker_processes_decode_damaged_images_again(prepare, cohort, task, folds, tmp_path):
    batches = []
    for damaged in (False, True):
        prepare()
        if damaged:
            path = tmp_path / "cache" / SPECS[1].key / "pixels.u8"
            for position in range(0, path.stat().st_size, 30 * 40 * 3 * 5):
                flip(path, position)
        loading = LoadingParameters(size=(30, 40), batch_size=4, num_workers=2)
        module = SmearDataModule(
            cohort, task, folds.fold(0), loading, AugmentationParameters(), "natural", 0, prepare()
        )
        module.setup("test")
        batches.append(list(module.test_dataloader()))
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one["image"], other["image"])


@pytest.mark.parametrize("name", ["index.jsonl", "catalog.jsonl"])
def test_a_damaged_byte_of_an_index_changes_no_image(prepare, cohort, pixels, tmp_path, name):
    rest(cohort.root)
    prepare()
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path / "cache", whole)
    [*files] = whole.rglob(name)
    for position in np.random.default_rng(0).integers(0, 2000, 25):
        shutil.rmtree(tmp_path / "cache")
        shutil.copytree(whole, tmp_path / "cache")
        for file in files:
            flip(tmp_path / "cache" / file.relative_to(whole), int(position))
        shapes = FieldCache(CacheParameters(tmp_path / "cache")).shapes(
            [cohort.path(image) for image in cohort.table["image"]]
        )
        assert set(shapes.values()) == {(40, 60)}
        assert all(map(np.array_equal, read_all(prepare(), cohort), pixels))


def test_a_damaged_index_is_named_and_its_images_are_stored_again(prepare, cohort, pixels, tmp_path, caplog):
    prepare()
    index = tmp_path / "cache" / SPECS[0].key / "index.jsonl"
    flip(index, index.stat().st_size - 3)
    before = (tmp_path / "cache" / SPECS[0].key / "pixels.u8").read_bytes()
    assert all(map(np.array_equal, read_all(prepare(), cohort), pixels))
    assert f"{index}: 1 damaged lines are ignored" in caplog.text
    # Another process may still read the image whose line was lost.
    assert (tmp_path / "cache" / SPECS[0].key / "pixels.u8").read_bytes().startswith(before)


def test_a_damaged_image_whose_file_has_changed_is_refused(prepare, cohort, tmp_path):
    prepare()
    flip(tmp_path / "cache" / SPECS[0].key / "pixels.u8", 0)
    fields = prepare()
    first, second = (cohort.path(image) for image in cohort.table["image"].iloc[:2])
    shutil.copy(second, first)
    with pytest.raises(ImageError, match="has changed since this run began"):
        fields.read(0, SPECS[0])
