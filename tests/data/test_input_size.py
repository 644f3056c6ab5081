import logging

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mds_lightning.cohort.manifest import Cohort
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


def test_many_distorted_sizes_are_one_warning(tmp_path, caplog):
    names = ["0.png", *(f"{number}.png" for number in range(40))]
    for number in range(40):
        Image.new("L", (200, 200 - 2 * number)).save(tmp_path / f"{number}.png")
    table = pd.DataFrame({"image": names, "external": False})
    assert input_size(Cohort(table, tmp_path / "m.csv", tmp_path, {}), 64, 50_000) == (64, 64)
    [record] = caplog.records
    assert "1 images of 200 x 180 pixels and 29 of 29 other sizes are resized to 64 x 64" in record.message
