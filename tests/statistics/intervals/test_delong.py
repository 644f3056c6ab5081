"""Clustered variance against the formulas of the paper, written out; DeLong's own is in test_reference."""

import numpy as np
import pytest

from mds_lightning.statistics.intervals.delong import covary_aucs, interval_of_auc


def obuchowski(positive, scores, patient):
    """Obuchowski 1997, with the sums written out; for two models."""
    models = scores.shape[1]
    m, n = positive.sum(), (~positive).sum()

    def psi(x, y):
        return 1.0 if x > y else 0.5 if x == y else 0.0

    patients = np.unique(patient)
    theta, v10, v01 = np.zeros(models), [{} for _ in range(models)], [{} for _ in range(models)]
    for r in range(models):
        xs, ys = np.flatnonzero(positive), np.flatnonzero(~positive)
        table = np.array([[psi(scores[i, r], scores[j, r]) for j in ys] for i in xs])
        theta[r] = table.mean()
        for p in patients:
            v10[r][p] = sum(table[k].mean() - theta[r] for k, i in enumerate(xs) if patient[i] == p)
            v01[r][p] = sum(table[:, k].mean() - theta[r] for k, j in enumerate(ys) if patient[j] == p)
    i10, i01, total = (len(np.unique(patient[side])) for side in (positive, ~positive, positive | True))
    covariance = np.zeros((models, models))
    for r in range(models):
        for s in range(models):
            s10 = i10 / ((i10 - 1) * m) * sum(v10[r][p] * v10[s][p] for p in patients)
            s01 = i01 / ((i01 - 1) * n) * sum(v01[r][p] * v01[s][p] for p in patients)
            s11 = total / (total - 1) * sum(v10[r][p] * v01[s][p] for p in patients)
            s11_other = total / (total - 1) * sum(v10[s][p] * v01[r][p] for p in patients)
            covariance[r, s] = s10 / m + s01 / n + (s11 + s11_other) / (m * n)
    return theta, covariance


@pytest.mark.parametrize("digits", [1, 8])
@pytest.mark.parametrize("mixed", [False, True])
def test_clustered_covariance(digits: int, mixed: bool) -> None:
    generator = np.random.default_rng(5)
    patient = np.repeat(np.arange(12), generator.integers(1, 5, 12))
    # `mixed`: a patient has positive and negative rows; elsewhere patients have one label.
    positive = generator.random(len(patient)) < 0.5 if mixed else patient % 2 == 0
    scores = np.round(generator.normal(size=(len(patient), 2)) + patient[:, None] % 2, digits)
    theta, covariance = obuchowski(positive, scores, patient)
    result = covary_aucs(positive, scores, patient)
    assert result.clustered
    np.testing.assert_allclose(result.auc, theta, atol=1e-12)
    np.testing.assert_allclose(result.covariance, covariance, atol=1e-12)


def test_repeated_images_do_not_change_the_interval() -> None:
    generator = np.random.default_rng(0)
    positive = np.arange(30) % 2 == 0
    score = generator.normal(size=30) + positive
    one = interval_of_auc(positive, score, np.arange(30))
    many = interval_of_auc(positive.repeat(5), score.repeat(5), np.arange(30).repeat(5))
    assert (many.low, many.high) == pytest.approx((one.low, one.high))
    assert many.method == "DeLong, clustered by patient (Obuchowski)"
    naive = interval_of_auc(positive.repeat(5), score.repeat(5), np.arange(150))
    assert naive.high - naive.low < 0.6 * (one.high - one.low)


def test_no_interval_without_variance_or_patients() -> None:
    separated = interval_of_auc(np.array([True, True, False, False]), np.arange(4.0)[::-1], np.arange(4))
    assert np.isnan(separated.low)
    assert "do not overlap" in separated.note
    alone = interval_of_auc(np.array([True, False, False]), np.arange(3.0), np.arange(3))
    assert np.isnan(alone.low)
    assert "there are 1 and 2" in alone.note


def test_limits_stay_within_0_and_1() -> None:
    positive = np.array([True, True, True, False, False, False])
    interval = interval_of_auc(positive, np.array([0.9, 0.8, 0.4, 0.5, 0.2, 0.1]), np.arange(6))
    assert interval.high == 1
    assert 0 < interval.low < 1
