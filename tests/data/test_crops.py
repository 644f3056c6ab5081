from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.data.crops import Crops, tile_starts
from mds_lightning.data.resize_spec import ResizeSpec

overlaps = st.floats(0, 0.95)


@settings(deadline=None, max_examples=200)
@given(length=st.integers(1, 700), side=st.integers(1, 700), overlap=overlaps)
def test_tiles_cover_an_axis_and_none_exceeds_it(length, side, overlap):
    side = min(side, length)
    starts = tile_starts(length, side, overlap)
    covered = {pixel for start in starts for pixel in range(start, start + side)}
    assert covered == set(range(length))
    assert list(starts) == sorted(set(starts))


@settings(deadline=None, max_examples=100)
@given(length=st.integers(10, 3000), side=st.integers(10, 400), overlap=overlaps)
def test_tiles_overlap_as_requested_and_are_as_few_as_possible(length, side, overlap):
    side = min(side, length)
    starts = tile_starts(length, side, overlap)
    steps = [second - first for first, second in pairwise(starts)]
    # The step is at least one pixel for any overlap.
    allowed = max(1, side * (1 - overlap))
    assert all(step <= allowed + 1e-6 for step in steps)
    # With one tile less, some step would be too long.
    if len(starts) > 2:
        assert (length - side) / (len(starts) - 2) > int(allowed)


def test_a_microscope_field_is_tiled_exactly():
    assert tile_starts(2560, 320, 0.0) == tuple(range(0, 2560, 320))
    assert tile_starts(2560, 320, 0.5) == tuple(range(0, 2400, 160))
    assert tile_starts(320, 320, 0.9) == (0,)


@settings(deadline=None, max_examples=20)
@given(down=st.integers(1, 9), across=st.integers(1, 9), whole=st.booleans())
def test_every_scale_has_the_same_weight(down, across, whole):
    native = ResizeSpec(None)
    crops = Crops(ResizeSpec((8, 8)) if whole else None, native, tuple(range(down)), tuple(range(across)))
    every = [crops[index] for index in range(len(crops))]
    tiles = [crop for crop in every if crop.resize_spec == native]
    assert len({crop.corner for crop in tiles}) == down * across == len(tiles)
    assert sum(crop.weight for crop in every) == pytest.approx(1)
    assert sum(crop.weight for crop in tiles) == pytest.approx(0.5 if whole else 1)
    with pytest.raises(IndexError):
        crops[len(crops)]
