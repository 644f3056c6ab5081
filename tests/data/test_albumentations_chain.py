import numpy as np
import pytest

from mds_lightning.data.albumentations_chain import AlbumentationsChain
from mds_lightning.data.augmentation import Augmentation, AugmentationParameters

VIEW = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def test_a_chain_is_deterministic_given_view_and_seed():
    chain, other = (
        AlbumentationsChain([{"GaussNoise": {"p": 1.0}}, {"GaussianBlur": None}]) for _ in range(2)
    )
    first = chain(VIEW, 7)
    chain(VIEW, 8)
    np.testing.assert_array_equal(chain(VIEW, 7), first)
    np.testing.assert_array_equal(other(VIEW, 7), first)
    assert len({chain(VIEW, seed).tobytes() for seed in range(8)}) == 8


def test_transforms_of_one_view_use_different_random_numbers():
    # Compose.set_random_seed gives every transform the same stream: both flips, or none.
    flips = AlbumentationsChain([{"HorizontalFlip": {"p": 0.5}}, {"VerticalFlip": {"p": 0.5}}])
    seen = {flips(VIEW, seed).tobytes() for seed in range(40)}
    views = (VIEW, VIEW[::-1], VIEW[:, ::-1], VIEW[::-1, ::-1])
    assert seen == {np.ascontiguousarray(view).tobytes() for view in views}


def test_the_configuration_is_applied():
    plain = Augmentation(AugmentationParameters(flips=True), (32, 48))
    noisy = Augmentation(AugmentationParameters(flips=True, further=[{"GaussNoise": {"p": 1.0}}]), (32, 48))
    assert (plain(VIEW, 3) != noisy(VIEW, 3)).any()


@pytest.mark.parametrize(
    ("transforms", "said"),
    [
        ([{"GausNoise": {}}], "no transform GausNoise; did you mean GaussNoise"),
        ([{"GaussNoise": {"p": "often"}}], "augmentation.further, GaussNoise"),
        (["GaussNoise"], "write each transform"),
        ([{"Compose": {}}], "no transform Compose"),
    ],
)
def test_unknown_transforms_are_refused_by_name(transforms, said):
    with pytest.raises(ValueError, match=said):
        AlbumentationsChain(transforms)


def test_a_transform_that_changes_the_shape_is_refused():
    with pytest.raises(ValueError, match="remove the transform that resizes"):
        AlbumentationsChain([{"Resize": {"height": 8, "width": 8}}])(VIEW, 0)
