import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.explain.windows import place_windows


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.integers(1, 50), st.integers(0, 9))
def test_every_pixel_is_the_mean_over_the_windows_that_covered_it(height, width, window, stride, seed):
    grid = place_windows(height, width, window, min(stride, window))
    drops = torch.randn(2, *grid.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    total, count = torch.zeros(2, height, width, dtype=torch.float64), torch.zeros(height, width)
    for i, (top, bottom) in enumerate(grid.rows):
        for j, (left, right) in enumerate(grid.columns):
            assert 0 <= top < bottom <= height
            assert 0 <= left < right <= width
            total[:, top:bottom, left:right] += drops[:, i, j, None, None]
            count[top:bottom, left:right] += 1
    assert count.min() >= 1
    torch.testing.assert_close(grid.spread(drops), total / count)


def test_a_share_is_of_the_longer_side():
    grid = place_windows(300, 400, 0.1, 0.05)
    assert (grid.window, grid.stride) == (40, 20)


def test_a_last_window_is_cut_at_the_border():
    assert place_windows(10, 10, 4, 4).rows == ((0, 4), (4, 8), (8, 10))


@pytest.mark.parametrize(
    ("window", "stride", "message"),
    [
        (0, 1, "1 pixel"),
        (1.5, 1, "fraction"),
        (4, 5, "no window covers"),
        (4, -1, "1 pixel"),
        (True, 1, "pixels"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(window, stride, message):
    with pytest.raises(ValueError, match=message):
        place_windows(10, 10, window, stride)
