import numpy as np
import pytest
from scipy import optimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from mds_lightning.statistics.calibration import Calibration, explain_uncalibrated
from mds_lightning.statistics.intervals.bootstrap import draw_weights


def measure(positive, probability, weights=None):
    calibration = Calibration(positive, probability, np.arange(len(positive)))
    weights = np.ones((1, len(positive))) if weights is None else weights
    return calibration(weights)


def test_against_scikit_learn_under_weights(outcomes) -> None:
    positive, probability = outcomes(200, slope=0.6, shift=0.4)
    weights = np.vstack([np.ones(200), draw_weights(positive.astype(int), 3, 0)])
    found = measure(positive, probability, weights)
    logit = np.log(probability / (1 - probability))
    for k, w in enumerate(weights):
        assert found["brier"][k] == pytest.approx(brier_score_loss(positive, probability, sample_weight=w))
        model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
        fitted = model.fit(logit[:, None], positive, sample_weight=w)
        assert found["slope"][k] == pytest.approx(fitted.coef_[0, 0], abs=1e-4)

        def score(a: float, w: np.ndarray = w) -> float:
            return float(w @ (positive - 1 / (1 + np.exp(-(a + logit)))))

        assert found["intercept"][k] == pytest.approx(optimize.brentq(score, -10, 10), abs=1e-8)
        bins = np.minimum((probability * 10).astype(int), 9)
        gaps = [abs((w * (positive - probability))[bins == b].sum()) for b in range(10)]
        assert found["ece"][k] == pytest.approx(sum(gaps) / w.sum())


def test_true_slope_and_shift_are_found(outcomes) -> None:
    assert measure(*outcomes())["slope"][0] == pytest.approx(1, abs=0.1)
    assert measure(*outcomes())["intercept"][0] == pytest.approx(0, abs=0.1)
    assert measure(*outcomes(slope=0.5))["slope"][0] == pytest.approx(0.5, abs=0.07)
    assert measure(*outcomes(shift=1.0))["intercept"][0] == pytest.approx(1, abs=0.12)
    assert measure(*outcomes())["ece"][0] < measure(*outcomes(shift=1.0))["ece"][0]


def test_separated_or_one_sided_rows_have_no_slope() -> None:
    positive = np.arange(6) > 2
    separated = measure(positive, np.linspace(0.1, 0.9, 6))
    assert np.isnan(separated["slope"][0])
    assert np.isfinite(separated["intercept"][0])
    assert "separates" in explain_uncalibrated(positive)
    one_sided = measure(np.ones(6, bool), np.linspace(0.1, 0.9, 6))
    assert np.isnan(one_sided["slope"][0])
    assert np.isnan(one_sided["intercept"][0])
    assert "one class" in explain_uncalibrated(np.ones(6, bool))


def test_a_separated_resample_does_not_change_others(outcomes) -> None:
    positive, probability = outcomes(40, seed=3)
    separated = ((probability > 0.5) == positive).astype(float)
    found = measure(positive, probability, np.stack([np.ones(40), separated]))["slope"]
    assert found[0] == pytest.approx(measure(positive, probability)["slope"][0])
    assert np.isnan(found[1])


def test_probabilities_of_0_and_1_stay_finite(outcomes) -> None:
    positive, probability = outcomes(100)
    probability[:5], positive[:5] = [0, 0, 1, 1, 1], [False, True, True, True, False]
    found = measure(positive, probability)
    assert all(np.isfinite(value[0]) for value in found.values())
