import numpy as np
import pytest
from scipy import stats

from mds_lightning.statistics.intervals.wilson import wilson_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (1, 3), (47, 60), (1, 1)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_equals_scipy(successes: int, trials: int, confidence: float) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    interval = wilson_interval(successes, trials, confidence)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_undefined() -> None:
    interval = wilson_interval(0, 0)
    assert np.isnan(interval.low)
    assert interval.note == "no trials"
