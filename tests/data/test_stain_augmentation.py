import numpy as np
import pytest

from mds_lightning.data.stain_augmentation import DENSITY, vary_stain

FIELD = np.random.default_rng(0).integers(30, 240, (20, 30, 3), dtype=np.uint8)
SAME, NONE = np.ones(3), np.zeros(3)


def density(image):
    return -np.log((image.astype(float) + 1) / 256)


def stained(*amounts):
    """A small image of light transmitted through these amounts of the three dyes."""
    light = 256 * np.exp(-(np.array(amounts) @ DENSITY)) - 1
    return np.full((4, 5, 3), light.round(), np.uint8)


def test_neutral_parameters_change_nothing():
    varied = vary_stain(FIELD, SAME, NONE)
    assert varied.dtype == np.uint8
    np.testing.assert_array_equal(varied, FIELD)


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_density_is_proportional_to_the_amount_of_dye(factor):
    varied = vary_stain(FIELD, factor * SAME, NONE)
    expected = 256 * np.exp(-factor * density(FIELD)) - 1
    np.testing.assert_allclose(varied, expected.clip(0, 255), atol=0.51)


@pytest.mark.parametrize("dye", [0, 1, 2])
def test_each_dye_changes_on_its_own(dye):
    amounts = np.array([0.4, 0.5, 0.2])
    factors, shifts = SAME.copy(), NONE.copy()
    factors[dye], shifts[dye] = 1.3, 0.05
    expected = stained(*(amounts * factors + shifts))
    np.testing.assert_allclose(vary_stain(stained(*amounts), factors, shifts).astype(float), expected, atol=2)


def test_white_does_not_overflow():
    white = np.full((4, 4, 3), 255, np.uint8)
    assert (vary_stain(white, SAME, np.full(3, -0.3)) == 255).all()
    assert (vary_stain(np.zeros((4, 4, 3), np.uint8), 3 * SAME, SAME) <= 1).all()
