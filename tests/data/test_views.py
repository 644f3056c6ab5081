"""Tiles contain all original pixels of the field, without whole fields in memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from mds_lightning.cohort.folds import load_or_make_folds
from mds_lightning.cohort.manifest import read_cohort
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.data.augmentation import Augmentation, AugmentationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.cache_capacity import CacheFullError
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.decode import decode_image
from mds_lightning.data.field_preparation import prepare_fields
from mds_lightning.data.loading_parameters import LoadingParameters, required_resize_specs
from mds_lightning.data.resize_spec import resize
from mds_lightning.data.sampling import Draw

PAPER = AugmentationParameters(
    crop=0.5, flips=True, quarter_turns=True, rotation=15, shear=5, translation=0.05,
    brightness=0.1, contrast=0.1, saturation=0.1, hue=0.02,
)  # fmt: skip
LIGHT = AugmentationParameters(flips=True, quarter_turns=True)
PARTS = {"whole": 1, "tiles": 6, "multi_scale": 7}


@pytest.fixture
def make_datamodule(cohort, task, folds, tmp_path):
    """Fields of 40 x 60 pixels, and tiles of 32 x 24: two down and three across."""

    def make(view, cached=True, augmentation=PAPER, magnification=1.0, **loading):
        if view != "whole":
            loading["magnification"] = magnification
        defaults = {"size": (32, 24), "batch_size": 4, "view": view}
        parameters = LoadingParameters(**defaults | loading)
        cache = FieldCache(CacheParameters(tmp_path / "cache", workers=1)) if cached else None
        specs = required_resize_specs(parameters, augmentation)
        fields, skipped = prepare_fields(cohort, specs, parameters, cache, tmp_path / "skipped.csv")
        fold = folds.fold(0)
        return SmearDataModule(cohort, task, fold, parameters, augmentation, "balanced", 3, fields, skipped)

    return make


def batches(loader):
    return [{key: value.clone() for key, value in batch.items()} for batch in loader]


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("magnification", [1.0, 0.8])
def test_tiles_contain_every_pixel_of_the_decoded_file_unchanged(
    make_datamodule, cohort, cached, magnification
):
    datamodule = make_datamodule("tiles", cached, magnification=magnification, tile_overlap=0.3)
    datamodule.setup("test")
    seen = {}
    for batch in datamodule.test_dataloader():
        assert batch["image"].dtype == torch.uint8
        assert len(batch["image"]) <= 4
        for image, row in zip(batch["image"], batch["row"].tolist(), strict=True):
            seen.setdefault(row, []).append(image.permute(1, 2, 0).numpy())
    assert list(seen) == datamodule.rows("test")
    for row, tiles in seen.items():
        decoded = decode_image(cohort.path(cohort.table.loc[row, "image"]))
        field = resize(decoded, (round(40 * magnification), round(60 * magnification)))
        covered = np.zeros(field.shape[:2], bool)
        places = np.lib.stride_tricks.sliding_window_view(field, (32, 24, 3))[:, :, 0]
        for tile in tiles:
            [[top, left]] = np.argwhere((places == tile).all(axis=(2, 3, 4)))
            covered[top : top + 32, left : left + 24] = True
        assert covered.all()


@pytest.mark.parametrize("view", ["whole", "tiles", "multi_scale"])
def test_weights_of_a_field_add_up_to_one_and_each_crop_occurs_once(make_datamodule, view):
    datamodule = make_datamodule(view)
    datamodule.setup("predict")
    table = pd.concat(
        pd.DataFrame({"row": batch["row"].numpy(), "weight": batch["weight"].numpy()})
        for loader in datamodule.predict_dataloader()
        for batch in loader
    )
    fields = table.groupby("row")["weight"]
    assert (fields.size() == PARTS[view]).all()
    np.testing.assert_allclose(fields.sum(), 1)
    expected = [row for split in ("val", "test", "external") for row in datamodule.rows(split)]
    assert sorted(expected) == sorted(table["row"].unique())


@pytest.mark.parametrize("view", ["tiles", "multi_scale"])
def test_workers_and_the_cache_change_no_byte(make_datamodule, view):
    modules = [
        make_datamodule(view, cached, num_workers=workers)
        for cached, workers in ((True, 0), (True, 2), (False, 0))
    ]
    for stage in ("fit", "test"):
        for module in modules:
            module.setup(stage)
        loaders = [
            module.train_dataloader() if stage == "fit" else module.test_dataloader() for module in modules
        ]
        for first, *others in zip(*map(batches, loaders), strict=True):
            for other in others:
                for key, value in first.items():
                    assert torch.equal(value, other[key])


def test_a_random_tile_keeps_its_pixels_when_nothing_warps_it(make_datamodule, cohort):
    datamodule = make_datamodule("tiles", augmentation=LIGHT)
    [row, *_] = datamodule.rows("train")
    field = decode_image(cohort.path(cohort.table.loc[row, "image"]))
    cuts = {}
    # A tile of 32 x 24 pixels also fits rotated into a field of 40 x 60.
    for turned in (field, field.transpose(1, 0, 2)):
        for flipped in (turned, turned[::-1], turned[:, ::-1], turned[::-1, ::-1]):
            for cut in np.lib.stride_tricks.sliding_window_view(flipped, (32, 24, 3)).reshape(-1, 32, 24, 3):
                cuts[cut.tobytes()] = True
    views = [datamodule.random_views.read(datamodule.fields, Draw(row, seed))[0] for seed in range(40)]
    assert all(view.tobytes() in cuts for view in views)
    assert len({view.tobytes() for view in views}) > 30


def test_random_tiles_reach_every_pixel_and_stay_inside_the_field():
    field = np.arange(12 * 15 * 3, dtype=np.uint16).reshape(12, 15, 3)
    augmentation = Augmentation(LIGHT, (4, 10), 1.0)
    seen = {number for seed in range(3000) for number in augmentation(field, seed).ravel().tolist()}
    assert seen == set(field.ravel().tolist())


def test_a_tile_without_room_is_not_rotated_by_90_degrees():
    field = np.arange(12 * 40 * 3, dtype=np.uint16).reshape(12, 40, 3)
    augmentation = Augmentation(LIGHT, (8, 30), 1.0)
    for seed in range(50):
        view = augmentation(field, seed)
        assert view.shape == (8, 30, 3)
        assert abs(int(view[0, 1, 0]) - int(view[0, 0, 0])) == 3


def test_cells_keep_their_size_in_a_rotated_tile():
    # Stripes of 8 pixels: their period is that of the field wherever the tile lies.
    field = np.repeat((np.arange(600) // 4 % 2 * 255).astype(np.uint8)[None, :, None], 600, 0).repeat(3, 2)
    augmentation = Augmentation(AugmentationParameters(crop=0.2, rotation=10), (128, 128), 1.0)
    for seed in range(5):
        view = augmentation(field, seed)[..., 0].astype(float)
        spectrum = np.abs(np.fft.rfft2(view - view.mean()))
        down, across = np.unravel_index(spectrum.argmax(), spectrum.shape)
        down = min(down, 128 - down)
        assert np.hypot(down, across) == pytest.approx(16, abs=1)


def test_training_draws_both_scales_about_equally_often(make_datamodule):
    datamodule = make_datamodule("multi_scale", augmentation=LIGHT)
    [row, *_] = datamodule.rows("train")
    views = datamodule.random_views
    natives = set()
    field = datamodule.fields.read(row, views.resize_specs[1])
    for cut in (field, field.transpose(1, 0, 2)):
        natives |= {tuple(pixel) for pixel in cut.reshape(-1, 3).tolist()}
    tiles = 0
    for seed in range(200):
        view, _ = views.read(datamodule.fields, Draw(row, seed))
        tiles += all(tuple(pixel) in natives for pixel in view.reshape(-1, 3).tolist())
    assert 70 < tiles < 130


def test_the_whole_field_is_available_under_every_view(make_datamodule):
    row = make_datamodule("whole").rows("test")[0]
    images = [make_datamodule(view).image(row) for view in PARTS]
    assert torch.equal(images[0], images[1])
    assert torch.equal(images[0], images[2])


# Memory and room


@pytest.fixture
def large(tmp_path, task):
    """Eight fields of 2560 x 1920 pixels."""
    names = []
    for index in range(8):
        names.append(f"{index}.jpg")
        pixels = np.random.default_rng(index).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((2560, 1920), Image.Resampling.NEAREST).save(tmp_path / names[-1])
    labels = ["MDS", "donor"] * 4
    table = pd.DataFrame({"image": names, "patient_id": names, "label": labels})
    table.to_csv(tmp_path / "large.csv", index=False)
    cohort = read_cohort(tmp_path / "large.csv", task)
    return cohort, load_or_make_folds(tmp_path / "large-folds.json", cohort, SplitParameters(n_splits=2))


def test_memory_stays_flat_with_large_fields(large, task, tmp_path):
    cohort, folds = large
    loading = LoadingParameters(size=(240, 320), batch_size=4, view="multi_scale")
    cache = FieldCache(CacheParameters(tmp_path / "cache", workers=1))
    fields, _ = prepare_fields(
        cohort, required_resize_specs(loading, PAPER), loading, cache, tmp_path / "s.csv"
    )
    datamodule = SmearDataModule(cohort, task, folds.fold(0), loading, PAPER, "balanced", 0, fields)
    datamodule.setup("fit")
    batch_bytes = 4 * 240 * 320 * 3
    tracemalloc.start()
    try:
        crops = sum(len(batch["row"]) for batch in datamodule.val_dataloader())
        for _ in datamodule.train_dataloader():
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert crops == len(datamodule.rows("val")) * (1 + 8 * 8)
    # A single field has 14.7 MB, and 59 MB as float32.
    assert peak < 3 * batch_bytes + 1e6 < 5e6


def test_a_full_cache_explains_the_size_of_tiles(cohort, tmp_path):
    loading = LoadingParameters(size=(32, 24), view="tiles")
    cache = FieldCache(CacheParameters(tmp_path / "cache", max_gb=5e-5, workers=1))
    with pytest.raises(CacheFullError, match=r"data\.view stores every field in its own resolution"):
        prepare_fields(
            cohort, required_resize_specs(loading, LIGHT), loading, cache, tmp_path / "skipped.csv"
        )


# Fields smaller than a tile


@pytest.mark.parametrize("cached", [True, False])
def test_fields_smaller_than_a_tile_are_refused_by_name(make_datamodule, cached):
    with pytest.raises(
        ValueError, match=r"51 of 51 images are smaller than a tile of 24 x 48 pixels"
    ) as refusal:
        make_datamodule("tiles", cached, size=(48, 24))
    assert "MDS-0-0.png: 60 x 40" in str(refusal.value)
    assert "and 31 more" in str(refusal.value)
    assert "Reduce data.image_size" in str(refusal.value)
    assert make_datamodule("whole", cached, size=(48, 24)).image(0).shape == (3, 48, 24)


def test_a_small_magnification_may_leave_no_room(make_datamodule):
    with pytest.raises(ValueError, match=r"at data\.magnification=0\.75.*\n.*: 45 x 30"):
        make_datamodule("tiles", magnification=0.75)
