import numpy as np
import pytest
from scipy.stats import t

from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.intervals.several_models import (
    Spread,
    interval_of_auc,
    interval_of_mean,
    interval_of_proportion,
)
from mds_lightning.statistics.intervals.wilson import wilson_interval


def test_models_that_agree_have_the_interval_of_one_model() -> None:
    """Without a variance of the models the limits are Wilson's and Newcombe's."""
    spread = Spread(np.full(5, 0.8), 0.0, 39)
    wilson, newcombe = wilson_interval(32, 40), newcombe_interval(0.8, 20, 20)
    found = interval_of_proportion(spread, 40)
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high))
    found = interval_of_auc(spread, 20, 20)
    assert (found.low, found.high) == pytest.approx((newcombe.low, newcombe.high))


def test_without_an_error_there_is_an_interval_for_proportions() -> None:
    spread = Spread(np.ones(5), 0.0, 9)
    assert interval_of_proportion(spread, 10).low == pytest.approx(wilson_interval(10, 10).low)
    assert interval_of_auc(spread, 10, 10).low == pytest.approx(newcombe_interval(1.0, 10, 10).low)
    assert np.isnan(interval_of_mean(spread).low)


def test_models_alone_give_students_t_over_the_models() -> None:
    values = np.array([0.3, 0.5, 0.4, 0.8])
    found = interval_of_mean(Spread(values, 0.0, 10), is_bounded=False)
    half = t.ppf(0.975, 3) * values.std(ddof=1) / 2
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_patients_alone_give_the_jackknife_of_the_mean() -> None:
    scores = np.random.default_rng(0).normal(size=30)
    left_out = (scores.sum() - scores) / 29
    spread = Spread.of(np.array([scores.mean()]), left_out, np.zeros(30, np.int64))
    assert spread.patients == pytest.approx(scores.var(ddof=1) / 30)
    half = t.ppf(0.975, 29) * scores.std(ddof=1) / 30**0.5
    found = interval_of_mean(spread, is_bounded=False)
    assert (found.low, found.high) == pytest.approx((scores.mean() - half, scores.mean() + half))


def test_a_bounded_metric_stays_inside() -> None:
    found = interval_of_mean(Spread(np.array([0.90, 0.99, 0.97]), 1e-3, 20))
    assert 0 < found.low < 0.95 < found.high < 1
