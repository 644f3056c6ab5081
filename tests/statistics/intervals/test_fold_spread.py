import numpy as np
import pytest
from scipy import stats

from mds_lightning.statistics.intervals.fold_spread import METHOD, interval_over_folds


def test_student_t_over_folds_equals_scipy_and_has_a_note() -> None:
    values = np.array([0.91, 0.88, 0.95, 0.9, 0.97])
    interval = interval_over_folds(values)
    expected = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx(expected)
    assert interval.method == METHOD == "Student t over folds"
    assert "not patients" in interval.note
    assert "single fold" in interval_over_folds(values[:1]).note
    assert "undefined in a fold" in interval_over_folds(np.array([0.5, np.nan])).note
