import numpy as np
import pytest
from scipy import optimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from mds_lightning.statistics.calibration import Calibration, explain_uncalibrated
from mds_lightning.statistics.curves.reliability import bin_reliability
from mds_lightning.statistics.intervals.bootstrap import draw_weights
from mds_lightning.statistics.temperature import learn_temperature, scale_folds, scale_probabilities


def outcomes(n: int = 3000, slope: float = 1.0, shift: float = 0.0, seed: int = 0):
    """Rows whose true log-odds are shift + slope x the stated ones."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(0, 1.5, n)
    truth = 1 / (1 + np.exp(-(shift + slope * logit)))
    return generator.random(n) < truth, 1 / (1 + np.exp(-logit))


def measure(positive, probability, weights=None):
    calibration = Calibration(positive, probability, np.arange(len(positive)))
    weights = np.ones((1, len(positive))) if weights is None else weights
    return calibration(weights)


def test_against_scikit_learn_under_weights() -> None:
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


def test_true_slope_and_shift_are_found() -> None:
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


def test_a_separated_resample_does_not_spoil_its_neighbours() -> None:
    positive, probability = outcomes(40, seed=3)
    separated = ((probability > 0.5) == positive).astype(float)
    found = measure(positive, probability, np.stack([np.ones(40), separated]))["slope"]
    assert found[0] == pytest.approx(measure(positive, probability)["slope"][0])
    assert np.isnan(found[1])


def test_certain_probabilities_stay_finite() -> None:
    positive, probability = outcomes(100)
    probability[:5], positive[:5] = [0, 0, 1, 1, 1], [False, True, True, True, False]
    found = measure(positive, probability)
    assert all(np.isfinite(value[0]) for value in found.values())


def test_reliability_bins() -> None:
    positive = np.array([False, False, True, True, True])
    first, second = bin_reliability(positive, np.array([0.0, 0.15, 0.15, 0.95, 1.0]), np.arange(5), bins=2)
    assert (first.low, first.high, first.rows) == (0, 0.5, 3)
    assert first.predicted == pytest.approx(0.1)
    assert first.observed == pytest.approx(1 / 3)
    assert (second.rows, second.observed) == (2, 1)
    assert first.interval.low < 1 / 3 < first.interval.high
    assert first.interval.method == "Wilson"


def test_reliability_of_images_is_as_sure_as_its_patients() -> None:
    positive, probability = outcomes(60)
    one = bin_reliability(positive, probability, np.arange(60), bins=2)
    many = bin_reliability(positive.repeat(5), probability.repeat(5), np.arange(60).repeat(5), bins=2)
    for single, repeated in zip(one, many, strict=True):
        assert repeated.observed == pytest.approx(single.observed)
        width = single.interval.high - single.interval.low
        assert repeated.interval.high - repeated.interval.low == pytest.approx(width, rel=0.25)


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_temperature_undoes_over_and_under_confidence(sharpness: float) -> None:
    positive, probability = outcomes(4000, seed=5)
    chance = np.stack([1 - probability, probability], axis=1)
    distorted = scale_probabilities(chance, 1 / sharpness)
    temperature = learn_temperature(positive.astype(int), distorted)
    assert temperature == pytest.approx(sharpness, rel=0.1)
    mended = scale_probabilities(distorted, temperature)
    assert log_loss(positive, mended[:, 1]) <= log_loss(positive, distorted[:, 1]) + 1e-9
    assert (np.argsort(mended[:, 1]) == np.argsort(distorted[:, 1])).all()


def test_temperature_is_learned_on_validation_for_each_fold(correlated) -> None:
    import pandas as pd

    test = correlated(patients=60, folds=2, seed=1)
    val = correlated(patients=60, folds=2, seed=2, split="val")
    table = pd.concat([test.table, val.table.assign(image="v" + val.table["image"])], ignore_index=True)
    study = type(test)(table, test.classes)
    scaled, temperatures = scale_folds(study)
    for fold in range(2):
        rows = val.of_fold(fold)
        assert temperatures[fold] == pytest.approx(learn_temperature(rows.target, rows.probabilities))
        expected = scale_probabilities(test.of_fold(fold).probabilities, temperatures[fold])
        np.testing.assert_allclose(scaled.split("test").of_fold(fold).probabilities, expected)
    assert temperatures[0] != temperatures[1]
