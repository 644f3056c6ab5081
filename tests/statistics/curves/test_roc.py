import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from mds_lightning.statistics.curves.precision_recall import trace_precision_recall
from mds_lightning.statistics.curves.roc import average_vertically, trace_roc


@st.composite
def scored(draw):
    n = draw(st.integers(2, 30))
    positive = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    positive[:2] = [True, False]
    score = np.array(
        draw(st.lists(st.integers(0, draw(st.sampled_from([2, 50]))), min_size=n, max_size=n)), float
    )
    return positive, score


@settings(max_examples=80, deadline=None)
@given(scored())
def test_curves_equal_scikit_learn(drawn) -> None:
    positive, score = drawn
    curve = trace_roc(positive, score)
    fpr, tpr, thresholds = sk.roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, fpr)
    np.testing.assert_allclose(curve.true_positive_rate, tpr)
    np.testing.assert_array_equal(curve.threshold, thresholds)
    found = trace_precision_recall(positive, score)
    precision, recall, thresholds = sk.precision_recall_curve(positive, score)
    np.testing.assert_allclose(found.precision[::-1], precision[:-1])
    np.testing.assert_allclose(found.recall[::-1], recall[:-1])
    np.testing.assert_array_equal(found.threshold[::-1], thresholds)
    assert found.average_precision == pytest.approx(sk.average_precision_score(positive, score))
    assert found.prevalence == positive.mean()


@settings(max_examples=60, deadline=None)
@given(st.lists(scored(), min_size=1, max_size=5))
def test_vertical_average(drawn) -> None:
    curves = [trace_roc(*one) for one in drawn]
    average = average_vertically(curves)
    x, y = average.false_positive_rate, average.true_positive_rate
    assert average.auc == pytest.approx(np.mean([curve.auc for curve in curves]))
    assert np.trapezoid(y, x) == pytest.approx(average.auc, abs=1e-12)
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= -1e-12).all()
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    # Between corners the average is the mean of the curves read off at the same false positive rate.
    middle = (x[1:] + x[:-1])[np.diff(x) > 0] / 2
    for place in middle:
        values = [np.interp(place, curve.false_positive_rate, curve.true_positive_rate) for curve in curves]
        assert np.interp(place, x, y) == pytest.approx(np.mean(values), abs=1e-9)


def test_band_is_the_spread_over_curves() -> None:
    positive = np.array([True, True, False, False])
    perfect = trace_roc(positive, np.array([4.0, 3, 2, 1]))
    chance = trace_roc(positive, np.ones(4))
    average = average_vertically([perfect, chance])
    assert average.auc_deviation == pytest.approx(np.std([1, 0.5], ddof=1))
    first_right = average.deviation[1]
    assert first_right == pytest.approx(np.std([1, 0], ddof=1))
    assert np.isnan(average_vertically([perfect]).deviation).all()


def test_rows_of_one_class_have_no_curve() -> None:
    with pytest.raises(ValueError, match="all 3 rows are positive"):
        trace_roc(np.ones(3, bool), np.arange(3.0))
