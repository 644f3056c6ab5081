"""Recalibration of the folds' models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from mds_lightning.statistics.recalibration import Recalibration, learn_recalibration


def two_classes(score: np.ndarray) -> np.ndarray:
    """Probabilities (rows, 2) from the log-odds of the second class."""
    return np.stack([expit(-score), expit(score)], axis=1)


def test_a_known_shift_and_scale_are_found():
    rng = np.random.default_rng(0)
    log_odds = rng.normal(0, 2, 20_000)
    target = (rng.random(20_000) < expit(log_odds)).astype(np.int64)
    found = learn_recalibration(target, two_classes(2.0 * log_odds + 1.5))
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.offsets[1] == pytest.approx(-0.75, abs=0.06)


def test_the_prior_of_balanced_sampling_is_removed():
    # A model trained on as many rows of each class, applied where the second class is four times as frequent.
    rng = np.random.default_rng(1)
    target = (rng.random(40_000) < 0.8).astype(np.int64)
    evidence = rng.normal(np.where(target == 1, 1.0, -1.0), np.sqrt(2.0))
    found = learn_recalibration(target, two_classes(evidence))
    assert found.offsets[1] == pytest.approx(np.log(4), abs=0.06)


def test_few_separated_patients_change_little():
    target = np.array([0] * 4 + [1] * 4)
    found = learn_recalibration(target, two_classes(np.where(target == 1, 2.0, -2.0)))
    assert found.offsets[1] == pytest.approx(0.0, abs=1e-4)
    assert 0.5 < found.slope < 1.2


def test_a_class_without_patients_leaves_the_probabilities():
    probabilities = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    found = learn_recalibration(np.array([0, 1]), probabilities)
    np.testing.assert_allclose(found.apply(probabilities), probabilities, atol=1e-6)


def test_three_classes_get_an_offset_each():
    rng = np.random.default_rng(2)
    scores = rng.normal(0, 2, (30_000, 3))
    true = softmax(scores + np.array([0.0, 1.0, -1.0]), axis=1)
    target = (true.cumsum(axis=1) < rng.random((30_000, 1))).sum(axis=1)
    found = learn_recalibration(target, softmax(scores, axis=1))
    np.testing.assert_allclose(found.offsets, [0.0, 1.0, -1.0], atol=0.08)
    np.testing.assert_allclose(found.apply(softmax(scores, axis=1)).sum(axis=1), 1.0)


@settings(deadline=None, max_examples=60)
@given(
    score=st.lists(st.floats(-30, 30), min_size=6, max_size=20),
    slope=st.floats(0.05, 5),
    offset=st.floats(-5, 5),
)
def test_the_order_of_patients_within_a_fold_is_kept(score, slope, offset):
    probabilities = two_classes(np.clip(np.array(score), -15, 15))
    after = Recalibration(slope, (0.0, offset)).apply(probabilities)[:, 1]
    # Rounding may join scores that differed in the last digit only.
    assert np.all(np.diff(after[np.argsort(probabilities[:, 1], kind="stable")]) >= -1e-12)


@pytest.mark.parametrize(("slope", "offsets"), [(0.0, (0.0, 1.0)), (1.0, (1.0, 0.0)), (1.0, (0.0, np.nan))])
def test_values_that_are_no_recalibration_are_refused(slope, offsets):
    with pytest.raises(ValueError, match="recalibration"):
        Recalibration(slope, offsets)
