"""Components of the variance over seeds, and the interval of a model that is trained in the same way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.training_variance import TrainingVariance

POSITIVES, NEGATIVES = np.array([6, 5, 5, 6, 5]), np.array([10, 9, 10, 10, 9])
AUCS = arrays(float, (3, 5), elements=st.floats(0.5, 1))


def test_equal_seeds_and_folds_give_the_interval_of_the_trained_models():
    found = TrainingVariance.of(np.full((3, 5), 0.9), POSITIVES, NEGATIVES)
    expected = newcombe_interval(0.9, POSITIVES.tolist(), NEGATIVES.tolist())
    assert (found.folds, found.seeds) == (pytest.approx(0, abs=1e-20), pytest.approx(0, abs=1e-20))
    interval = found.interval()
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


@given(AUCS, st.permutations(range(3)), st.permutations(range(5)))
@settings(deadline=None, max_examples=50)
def test_the_order_of_seeds_and_folds_does_not_matter_and_training_only_widens(aucs, seeds, folds):
    found = TrainingVariance.of(aucs, POSITIVES, NEGATIVES)
    other = TrainingVariance.of(aucs[seeds][:, folds], POSITIVES[folds], NEGATIVES[folds])
    assert (other.value, other.folds, other.seeds) == pytest.approx(
        (found.value, found.folds, found.seeds), abs=1e-12
    )
    wide, narrow = found.interval(), newcombe_interval(found.value, POSITIVES.tolist(), NEGATIVES.tolist())
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high - 1e-9 <= wide.high
    assert min(found.patients, found.folds, found.seeds) >= 0


def test_seeds_that_shift_every_fold_alike_are_estimated_from_the_seeds_means():
    aucs = np.array([[0.8], [0.85], [0.9]]) + np.zeros(5)
    found = TrainingVariance.of(aucs, POSITIVES, NEGATIVES)
    assert found.seeds == pytest.approx(0.05**2 / 3)
    assert found.by_seed == pytest.approx([0.8, 0.85, 0.9])


def test_seeds_that_differ_in_each_fold_by_chance_are_estimated_within_folds():
    # The seeds' means over folds are equal: the folds' weights are equal, and the differences cancel out.
    size = np.full(4, 10)
    aucs = np.array([[0.8, 0.9, 0.8, 0.9], [0.9, 0.8, 0.9, 0.8]])
    found = TrainingVariance.of(aucs, size, size)
    assert found.seeds == pytest.approx(np.var([0.8, 0.9], ddof=1) / 4 / 2)
    assert found.folds == 0


def test_folds_that_differ_more_than_patients_and_seeds_allow_have_a_variance():
    size = np.full(4, 1000)
    found = TrainingVariance.of(np.tile([0.7, 0.8, 0.9, 1.0], (2, 1)), size, size)
    between = np.var([0.7, 0.8, 0.9, 1.0], ddof=1)
    assert found.folds == pytest.approx((between - found.patients * 4) / 4)
    assert found.seeds == 0
