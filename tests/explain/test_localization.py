import math

import numpy as np
import pytest

from mds_lightning.explain.localization import measure_boxes, measure_regions


def test_a_map_on_a_nucleus_is_found_there():
    mask = np.zeros((8, 8), dtype=np.uint8)
    mask[2:6, 2:6] = 2
    mask[3:5, 3:5] = 4
    importance = np.where(mask == 4, 3.0, 0.0) + np.where(mask == 2, 1.0, 0.0) - (mask == 0)
    shares = measure_regions(importance, mask)
    assert shares["nucleus"].importance == pytest.approx(0.5)
    assert shares["nucleus"].area == pytest.approx(4 / 64)
    assert shares["nucleus"].ratio == pytest.approx(8)
    assert shares["cell"].importance == 1
    assert shares["background"].importance == 0
    assert shares["red cell"].area == 0
    assert math.isnan(shares["red cell"].ratio)


def test_an_even_map_gives_every_region_its_area():
    mask = np.random.default_rng(0).integers(0, 5, (12, 9))
    for found in measure_regions(np.ones((24, 18)), mask).values():
        assert found.importance == pytest.approx(found.area)


def test_a_mask_of_another_size_is_sampled_at_the_pixels_centres():
    mask = np.array([[0, 3], [0, 0]])
    importance = np.zeros((4, 4))
    importance[0:2, 2:4] = 1
    assert measure_regions(importance, mask)["nucleus"].importance == 1


def test_without_positive_importance_the_share_is_undefined():
    assert math.isnan(measure_boxes(-np.ones((4, 4)), [(0, 0, 2, 2)]).importance)


def test_boxes_are_joined_and_scaled_from_their_image():
    importance = np.zeros((10, 20))
    importance[:5, :10] = 1
    found = measure_boxes(importance, [(0, 0, 200, 100), (100, 0, 200, 100)], size=(200, 400))
    assert found.importance == 1
    assert found.area == pytest.approx(0.25)


def test_other_values_in_a_mask_are_refused():
    with pytest.raises(ValueError, match="0 to 255"):
        measure_regions(np.ones((2, 2)), np.array([[0, 255], [0, 0]]))
