"""Newcombe's interval: its defining equation, its limits, and its width where resamples see none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.statistics.intervals.newcombe import newcombe_interval


@given(st.floats(0.02, 0.98), st.integers(2, 200), st.integers(2, 200))
@settings(deadline=None, max_examples=50)
def test_the_limits_solve_its_equation(auc, positives, negatives):
    found = newcombe_interval(auc, positives, negatives)
    assert 0 <= found.low < auc < found.high <= 1
    for theta in (found.low, found.high):
        half = (positives + negatives) / 2 - 1
        q = 1 + half * (1 - theta) / (2 - theta) + half * theta / (1 + theta)
        deviation = (theta * (1 - theta) * q / (positives * negatives)) ** 0.5
        assert abs(auc - theta) == pytest.approx(1.9599639845 * deviation, abs=1e-7)


def test_one_patient_of_each_class_gives_a_very_wide_interval():
    found = newcombe_interval(1.0, 1, 1)
    # m = n = 1: a single trial, so Wilson's limit 1 / (1 + z²).
    assert (found.low, found.high) == (pytest.approx(1 / (1 + 1.9599639845**2)), 1.0)


def test_it_is_symmetric_in_the_classes():
    found, mirrored = newcombe_interval(0.9, 20, 35), newcombe_interval(0.1, 35, 20)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_more_patients_narrow_it_and_more_confidence_widens_it():
    low = [newcombe_interval(1.0, n, n).low for n in (5, 10, 100)]
    assert low == sorted(low)
    assert newcombe_interval(1.0, 10, 10, 0.99).low < newcombe_interval(1.0, 10, 10, 0.95).low


def test_without_patients_of_a_class_it_is_undefined():
    assert newcombe_interval(0.5, 0, 4).note == "no positive or no negative patient"


def test_folds_of_one_are_the_whole_and_several_are_wider():
    whole, folds = newcombe_interval(0.9, 40, 60), newcombe_interval(0.9, [8] * 5, [12] * 5)
    single = newcombe_interval(0.9, [40], [60])
    assert (single.low, single.high) == (whole.low, whole.high)
    assert folds.low < whole.low < whole.high < folds.high


def test_a_fold_without_a_positive_patient_has_no_part():
    found, expected = newcombe_interval(0.9, [8, 0], [12, 12]), newcombe_interval(0.9, 8, 12)
    assert (found.low, found.high) == (expected.low, expected.high)


@given(st.floats(0.5, 1.0), st.floats(0.0, 0.5))
@settings(deadline=None, max_examples=50)
def test_the_variance_of_training_widens_it(auc, variance):
    narrow, wide = newcombe_interval(auc, 20, 30), newcombe_interval(auc, 20, 30, training_variance=variance)
    assert 0 <= wide.low <= narrow.low <= auc <= narrow.high <= wide.high <= 1
