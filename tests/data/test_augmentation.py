import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from mds_lightning.data.augmentation import Augmentation, AugmentationParameters
from mds_lightning.data.resize_spec import ResizeSpec, resize
from mds_lightning.data.sampling import Draw, EpochSampler

PAPER = AugmentationParameters(
    crop=0.5, flips=True, quarter_turns=True, rotation=15, shear=5, translation=0.05,
    brightness=0.1, contrast=0.1, saturation=0.1, hue=0.02,
)  # fmt: skip


def _field(height=60, width=80, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_view_depends_on_field_and_seed_alone():
    augmentation, other = Augmentation(PAPER, (48, 64)), Augmentation(PAPER, (48, 64))
    field = _field()
    first = augmentation(field, 7)
    augmentation(field, 8)
    assert first.shape == (48, 64, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, augmentation(field, 7))
    np.testing.assert_array_equal(first, other(field, 7))


def test_different_seeds_give_different_views():
    augmentation, field = Augmentation(PAPER, (48, 64)), _field()
    views = {augmentation(field, seed).tobytes() for seed in range(20)}
    assert len(views) == 20


@pytest.mark.parametrize(
    "name",
    ["crop", "rotation", "shear", "translation", "brightness", "contrast", "hue", "saturation", "stain"],
)
def test_each_augmentation_acts_on_its_own(name):
    value = {"crop": 0.4, "rotation": 30, "shear": 20}.get(name, 0.3)
    augmentation = Augmentation(AugmentationParameters(**{name: value}), (60, 80))
    field = _field()
    assert any((augmentation(field, seed) != field).any() for seed in range(5))


def test_without_augmentation_the_field_is_unchanged():
    field = _field()
    np.testing.assert_array_equal(Augmentation(AugmentationParameters(), (60, 80))(field, 3), field)


def test_flips_and_quarter_turns_move_pixels_without_changing_them():
    augmentation = Augmentation(AugmentationParameters(flips=True, quarter_turns=True), (64, 64))
    field = _field(64, 64)
    views = {augmentation(field, seed).tobytes() for seed in range(60)}
    expected = {
        np.ascontiguousarray(np.rot90(mirrored, turns)).tobytes()
        for mirrored in (field, field[:, ::-1])
        for turns in range(4)
    }
    # All eight combinations: flips and rotations use different random numbers.
    assert views == expected


@pytest.mark.parametrize(("key", "value"), [("crop", 0.0), ("crop", 1.5), ("rotation", -1), ("hue", 0.6)])
def test_a_strength_out_of_range_is_refused_by_its_key(key, value):
    with pytest.raises(ValueError, match=f"augmentation.{key} is {value}"):
        AugmentationParameters(**{key: value})


def test_resize_takes_the_area_mean_when_shrinking():
    field = np.zeros((4, 4, 3), np.uint8)
    field[::2, ::2] = 200
    assert (resize(field, (2, 2)) == 50).all()
    assert resize(field, (8, 8)).shape == (8, 8, 3)


def _coordinates(height, width):
    """A field whose red and green channels encode the position of each pixel."""
    y, x = np.mgrid[:height, :width] + 0.5
    return np.dstack([x, y, np.zeros_like(x)]).round().astype(np.uint8)


def _map_of(view):
    """(2, 3): the affine map from a view of `_coordinates` to the field, fitted to its middle."""
    height, width = view.shape[:2]
    y, x = np.mgrid[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] + 0.5
    ground = np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)])
    found = view[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4, :2].reshape(-1, 2)
    fitted, *_ = np.linalg.lstsq(ground, found.astype(float), rcond=None)
    assert np.abs(ground @ fitted - found).max() < 2
    return fitted.T


def test_a_crop_keeps_the_requested_area_fraction_and_aspect_ratio():
    field, size = _coordinates(180, 240), (60, 80)
    augmentation = Augmentation(AugmentationParameters(crop=0.3), size)
    fractions, shapes = [], []
    for seed in range(60):
        to_field = _map_of(augmentation(field, seed))
        width, height = to_field[0, 0] * 80, to_field[1, 1] * 60
        fractions.append(width * height / (180 * 240))
        shapes.append(width / height / (4 / 3))
        # Upright, and inside the field.
        np.testing.assert_allclose([to_field[0, 1], to_field[1, 0]], 0, atol=0.05)
        assert (to_field[:, 2] > -3).all()
        assert to_field[0, 2] + width < 243
        assert to_field[1, 2] + height < 183
    assert 0.27 < min(fractions) < 0.4
    assert 0.85 < max(fractions) < 1.03
    assert 0.78 < min(shapes) < 0.9
    assert 1.1 < max(shapes) < 1.28


def test_a_rotation_is_about_the_centre_and_keeps_lengths():
    field = _coordinates(200, 200)
    augmentation = Augmentation(AugmentationParameters(rotation=30), (200, 200))
    angles = []
    for seed in range(30):
        to_field = _map_of(augmentation(field, seed))
        np.testing.assert_allclose(to_field[:, :2] @ to_field[:, :2].T, np.eye(2), atol=0.03)
        np.testing.assert_allclose(to_field @ (100, 100, 1), (100, 100), atol=1)
        angles.append(np.degrees(np.arctan2(to_field[1, 0], to_field[0, 0])))
    assert -31 < min(angles) < -15
    assert 15 < max(angles) < 31


def test_rotated_fields_of_another_aspect_ratio_are_not_distorted():
    field, size = _coordinates(180, 240), (60, 80)
    augmentation = Augmentation(AugmentationParameters(crop=0.5, quarter_turns=True), size)
    turned = 0
    for seed in range(40):
        linear = _map_of(augmentation(field, seed))[:, :2]
        lengths = np.linalg.norm(linear, axis=0)
        assert 0.78 < lengths[0] / lengths[1] < 1.28
        turned += abs(linear[0, 0]) < abs(linear[0, 1])
    assert 10 < turned < 30


def test_a_warp_that_shrinks_averages_pixels():
    field = np.zeros((400, 400, 3), np.uint8)
    field[::2] = 200
    views = [Augmentation(AugmentationParameters(rotation=5), (50, 50))(field, seed) for seed in range(5)]
    assert all(np.abs(view[10:40, 10:40].astype(int) - 100).max() < 12 for view in views)


def test_the_stored_size_covers_the_smallest_crop_at_full_resolution():
    assert Augmentation(PAPER, (336, 448)).resize_spec == ResizeSpec((336, 448), 2**0.5)
    assert Augmentation(AugmentationParameters(), (336, 448)).resize_spec.oversampling == 1
    assert ResizeSpec((336, 448), 2**0.5)(_field(1920, 2560)).shape == (475, 634, 3)
    # Never enlarged.
    assert ResizeSpec((336, 448), 2**0.5)(_field(300, 400)).shape == (300, 400, 3)


@pytest.mark.parametrize("crop", [0.5, 0.45, 0.3, 0.26])
def test_a_search_over_crops_needs_few_stored_sizes(crop):
    oversampling = Augmentation(AugmentationParameters(crop=crop), (48, 64)).resize_spec.oversampling
    assert oversampling == pytest.approx(2**0.5 if crop == 0.5 else 2)
    assert oversampling**2 * crop >= 1 - 1e-9


class _Views(Dataset):
    """A dataset as ours, without files: what the workers of the loader do with the samples."""

    def __init__(self):
        self.augmentation = Augmentation(PAPER, (32, 32))
        self.field = _field(40, 40)

    def __len__(self):
        return 16

    def __getitem__(self, draw: Draw):
        return draw.row, torch.from_numpy(self.augmentation(self.field, draw.seed).copy())


def _epoch(epoch, workers, seed=0):
    sampler = EpochSampler(range(16), [0, 1] * 8, "natural", seed)
    sampler.set_epoch(epoch)
    loader = DataLoader(_Views(), batch_size=4, sampler=sampler, num_workers=workers)
    return torch.cat([views for _, views in loader])


def test_workers_and_epochs_differ_and_runs_repeat():
    # albumentations 2.0.8 by itself gives every worker and every epoch the same parameters.
    alone, first, again, second = _epoch(0, 0), _epoch(0, 2), _epoch(0, 2), _epoch(1, 2)
    assert torch.equal(first, again)
    assert torch.equal(first, alone)
    assert not torch.equal(first, second)
    assert len({view.numpy().tobytes() for view in torch.cat([first, second])}) == 32
