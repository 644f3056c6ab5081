import logging

import numpy as np
import pytest
from PIL import Image

from mds_lightning.data.input_size import input_size


def test_the_longer_side_takes_the_aspect_ratio_of_the_most_common_field(cohort):
    assert input_size(cohort, 96, 10_000) == (64, 96)


def test_two_sides_are_used_as_given(cohort):
    assert input_size(cohort, [48, 32], 10_000) == (48, 32)


@pytest.mark.parametrize("requested", [16, [16, 64], [64], [64, 64, 3]])
def test_sides_below_the_network_stride_are_refused(cohort, requested):
    with pytest.raises(ValueError, match=r"data.image_size is"):
        input_size(cohort, requested, 10_000)


def test_distorted_fields_are_logged(cohort, caplog):
    image = cohort.table.loc[~cohort.table["external"], "image"].iloc[0]
    Image.fromarray(np.zeros((60, 40, 3), np.uint8)).save(cohort.path(image))
    with caplog.at_level(logging.WARNING):
        assert input_size(cohort, 96, 10_000) == (64, 96)
    assert "1 images of 40 x 60 pixels are resized" in caplog.text
