import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from mds_lightning.data.augmentation import Augmentation, AugmentationParameters
from mds_lightning.data.form import resize
from mds_lightning.data.sampling import Draw, EpochSampler

PAPER = AugmentationParameters(
    crop=0.5, flips=True, quarter_turns=True, rotation=15, shear=5, translation=0.05,
    brightness=0.1, contrast=0.1, saturation=0.1, hue=0.02,
)  # fmt: skip


def _field(height=60, width=80, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_view_is_a_function_of_field_and_seed_alone():
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
    "part", ["crop", "rotation", "shear", "translation", "brightness", "contrast", "hue", "saturation"]
)
def test_every_part_acts_by_itself(part):
    value = {"crop": 0.4, "rotation": 30, "shear": 20}.get(part, 0.3)
    augmentation = Augmentation(AugmentationParameters(**{part: value}), (60, 80))
    field = _field()
    assert any((augmentation(field, seed) != field).any() for seed in range(5))


def test_without_parts_the_field_stays_as_it_is():
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
    # All eight: the transforms of a draw do not repeat each other's random numbers.
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


class _Views(Dataset):
    """A dataset as ours, without files: what the loader's workers do with the draws."""

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
