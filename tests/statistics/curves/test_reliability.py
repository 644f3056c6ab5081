import numpy as np
import pytest

from mds_lightning.statistics.curves.reliability import bin_reliability


def test_reliability_bins() -> None:
    positive = np.array([False, False, True, True, True])
    first, second = bin_reliability(positive, np.array([0.0, 0.15, 0.15, 0.95, 1.0]), np.arange(5), bins=2)
    assert (first.low, first.high, first.rows) == (0, 0.5, 3)
    assert first.predicted == pytest.approx(0.1)
    assert first.observed == pytest.approx(1 / 3)
    assert (second.rows, second.observed) == (2, 1)
    assert first.interval.low < 1 / 3 < first.interval.high
    assert first.interval.method == "Wilson"


def test_intervals_of_images_are_as_wide_as_those_of_patients(outcomes) -> None:
    positive, probability = outcomes(60)
    one = bin_reliability(positive, probability, np.arange(60), bins=2)
    many = bin_reliability(positive.repeat(5), probability.repeat(5), np.arange(60).repeat(5), bins=2)
    for single, repeated in zip(one, many, strict=True):
        assert repeated.observed == pytest.approx(single.observed)
        width = single.interval.high - single.interval.low
        assert repeated.interval.high - repeated.interval.low == pytest.approx(width, rel=0.25)
