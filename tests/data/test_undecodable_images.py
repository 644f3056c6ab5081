import csv

import numpy as np
import pytest

from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.decode import ImageError
from mds_lightning.data.field_preparation import prepare_fields
from mds_lightning.data.input_size import input_size
from mds_lightning.data.loading_parameters import LoadingParameters, required_resize_specs

PLAIN = AugmentationParameters()


@pytest.fixture(params=["cached", "decoded"])
def prepare(request, cohort, tmp_path):
    """`prepare(on_error=..., max_skipped=...)` for the cohort; the list is `tmp_path / "skipped.csv"`."""
    cache = FieldCache(CacheParameters(tmp_path / "cache", workers=2)) if request.param == "cached" else None

    def run(**loading):
        parameters = LoadingParameters(size=(32, 48), **loading)
        specs = required_resize_specs(parameters, PLAIN)
        return prepare_fields(cohort, specs, parameters, cache, tmp_path / "skipped.csv")

    return run


def spoil(cohort, *rows):
    names = [cohort.table.loc[row, "image"] for row in rows]
    for name in names:
        cohort.path(name).write_bytes(b"no image")
    return names


def test_undecodable_images_are_excluded_everywhere_and_listed(prepare, cohort, task, folds, tmp_path):
    names = spoil(cohort, 2, 9)
    fields, skipped = prepare(on_error="skip")
    assert skipped == {2, 9}
    with (tmp_path / "skipped.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == names
    assert all("JPEG, PNG, TIFF, BMP or WebP" in row["reason"] for row in rows)
    assert {row["lost_patient"] for row in rows} == {""}
    loading = LoadingParameters(size=(32, 48))
    seen = set()
    for fold in range(5):
        module = SmearDataModule(
            cohort, task, folds.fold(fold), loading, PLAIN, "balanced", 0, fields, skipped
        )
        for split in ("train", "val", "test", "external"):
            seen |= set(module.rows(split))
        module.setup("predict")
        for loader in module.predict_dataloader():
            list(loader)
    assert seen == set(cohort.table.index) - {2, 9}


def test_patients_without_an_image_left_are_named(prepare, cohort, tmp_path):
    table = cohort.table
    donor, mds = (table.index[table["label"] == label][0] for label in ("donor", "MDS"))
    spoil(cohort, donor, mds)
    prepare(on_error="skip")
    with (tmp_path / "skipped.csv").open() as file:
        lost = {row["image"]: row["lost_patient"] for row in csv.DictReader(file)}
    assert lost == {table.loc[donor, "image"]: table.loc[donor, "patient_id"], table.loc[mds, "image"]: ""}


def test_too_large_a_fraction_stops_the_run(prepare, cohort, tmp_path):
    spoil(cohort, 0, 1, 2)
    with pytest.raises(ImageError, match=r"3 of 51 images .* larger fraction than data\.max_skipped=0\.05"):
        prepare(on_error="skip")
    assert not (tmp_path / "skipped.csv").exists()
    assert len(prepare(on_error="skip", max_skipped=0.1)[1]) == 3


def test_a_continued_run_excludes_the_images_listed_at_its_start(prepare, cohort):
    [name] = spoil(cohort, 4)
    assert prepare(on_error="skip")[1] == {4}
    cohort.path(name).write_bytes(cohort.path(cohort.table.loc[5, "image"]).read_bytes())
    assert prepare(on_error="skip")[1] == {4}
    [name] = spoil(cohort, 7)
    with pytest.raises(ImageError, match=f"1 images could be decoded when .* was started(.|\n)*{name}"):
        prepare(on_error="skip")


def test_without_faults_nothing_is_excluded(prepare):
    assert prepare(on_error="skip")[1] == frozenset()


def test_by_default_all_undecodable_images_are_named_at_once(cohort, tmp_path):
    names = spoil(cohort, 3, 8)
    loading = LoadingParameters(size=(32, 48))
    cache = FieldCache(CacheParameters(tmp_path / "cache"))
    with pytest.raises(ImageError, match=r"2 of 51 images cannot be decoded") as raised:
        prepare_fields(
            cohort, required_resize_specs(loading, PLAIN), loading, cache, tmp_path / "skipped.csv"
        )
    assert all(name in str(raised.value) for name in names)
    assert "data.on_error=skip" in str(raised.value)


def test_the_size_is_determined_without_undecodable_images(cohort):
    spoil(cohort, 0)
    assert input_size(cohort, 96, 10_000, on_error="skip") == (64, 96)
    with pytest.raises(ImageError, match="1 of 45 images"):
        input_size(cohort, 96, 10_000)


def test_the_size_is_determined_without_opening_cached_files(cohort, tmp_path, monkeypatch):
    cache = FieldCache(CacheParameters(tmp_path / "cache"))
    monkeypatch.setattr("mds_lightning.data.file_catalog._MIN_AGE", -1)
    loading = LoadingParameters(size=(32, 48))
    paths = [cohort.path(image) for image in cohort.table["image"]]
    cache.fill(paths, required_resize_specs(loading, PLAIN), 10_000)
    monkeypatch.setattr(
        "mds_lightning.data.input_size.image_shape", lambda *_: pytest.fail("a file was opened")
    )
    assert input_size(cohort, 96, 10_000, cache) == (64, 96)


def test_an_image_is_bytes_whether_or_not_it_is_stored(prepare):
    fields, _ = prepare(on_error="skip")
    spec = required_resize_specs(LoadingParameters(size=(32, 48)), PLAIN)[1]
    assert fields.read(0, spec).dtype == np.uint8
    assert fields.read(0, spec).shape == (32, 48, 3)
