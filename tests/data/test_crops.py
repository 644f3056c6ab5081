from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.data.crops import Parts, tile_starts
from mds_lightning.data.resize_spec import Form

overlaps = st.floats(0, 0.95)


@settings(deadline=None, max_examples=200)
@given(length=st.integers(1, 700), side=st.integers(1, 700), overlap=overlaps)
def test_tiles_cover_an_axis_and_none_runs_over_its_end(length, side, overlap):
    side = min(side, length)
    starts = tile_starts(length, side, overlap)
    covered = {pixel for start in starts for pixel in range(start, start + side)}
    assert covered == set(range(length))
    assert list(starts) == sorted(set(starts))


@settings(deadline=None, max_examples=100)
@given(length=st.integers(10, 3000), side=st.integers(10, 400), overlap=overlaps)
def test_neighbours_overlap_as_much_as_was_asked_and_no_tile_is_spare(length, side, overlap):
    side = min(side, length)
    starts = tile_starts(length, side, overlap)
    steps = [second - first for first, second in pairwise(starts)]
    # A tile moves by one pixel at least, whatever is asked.
    allowed = max(1, side * (1 - overlap))
    assert all(step <= allowed + 1e-6 for step in steps)
    # With one tile fewer some step would have to be longer.
    if len(starts) > 2:
        assert (length - side) / (len(starts) - 2) > int(allowed)


def test_a_field_of_the_microscope_is_cut_without_rest():
    assert tile_starts(2560, 320, 0.0) == tuple(range(0, 2560, 320))
    assert tile_starts(2560, 320, 0.5) == tuple(range(0, 2400, 160))
    assert tile_starts(320, 320, 0.9) == (0,)


@settings(deadline=None, max_examples=20)
@given(down=st.integers(1, 9), across=st.integers(1, 9), whole=st.booleans())
def test_every_scale_weighs_the_same(down, across, whole):
    native = Form(None)
    parts = Parts(Form((8, 8)) if whole else None, native, tuple(range(down)), tuple(range(across)))
    every = [parts[index] for index in range(len(parts))]
    tiles = [part for part in every if part.form == native]
    assert len({part.corner for part in tiles}) == down * across == len(tiles)
    assert sum(part.weight for part in every) == pytest.approx(1)
    assert sum(part.weight for part in tiles) == pytest.approx(0.5 if whole else 1)
    with pytest.raises(IndexError):
        parts[len(parts)]
