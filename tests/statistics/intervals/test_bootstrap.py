import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mds_lightning.statistics.intervals.bootstrap import bootstrap, draw_weights
from mds_lightning.statistics.metric import Measure
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.sample_metrics import SampleMetrics

AUC = Measure("roc_auc", "MDS")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 200), st.integers(0, 9))
def test_resamples_keep_the_strata_and_repeat(sizes: list[int], n: int, seed: int) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)
    weights = draw_weights(strata, n, seed)
    assert weights.shape == (n, sum(sizes))
    for stratum, size in enumerate(sizes):
        assert (weights[:, strata == stratum].sum(axis=1) == size).all()
    assert np.array_equal(weights, draw_weights(strata, n, seed))


def test_patients_are_drawn_like_a_multinomial() -> None:
    weights = draw_weights(np.zeros(5, int), 20_000, 0)
    expected = stats.binom.pmf(np.arange(6), 5, 0.2)
    for patient in range(5):
        seen = np.bincount(weights[:, patient], minlength=6) / len(weights)
        np.testing.assert_allclose(seen, expected, atol=0.015)
    assert np.corrcoef(weights.T)[0, 1] == pytest.approx(-0.25, abs=0.03)


def test_images_follow_their_patient(correlated) -> None:
    """Weighting patients is the same as repeating their rows."""
    sample = Sample.of(correlated(patients=12, images=3))
    weights = draw_weights(sample.patient_class, 5, 3)
    vectorised = SampleMetrics.of(sample)(weights.astype(float))
    for k, counts in enumerate(weights):
        rows = np.repeat(np.arange(len(sample.target)), counts[sample.patient])
        repeated = Sample(
            sample.classes,
            sample.target[rows],
            sample.probabilities[rows],
            sample.patient[rows],
            sample.patient_class,
            sample.fold[rows],
        )
        for measure, value in SampleMetrics.of(repeated).point().items():
            assert vectorised[measure][k] == pytest.approx(value, abs=1e-12, nan_ok=True), measure


def test_more_images_of_the_same_patients_do_not_narrow_the_interval(correlated) -> None:
    one = correlated(patients=30, images=1, seed=2)
    table = one.table.loc[one.table.index.repeat(8)].reset_index(drop=True)
    table["image"] = [f"i{k}" for k in range(len(table))]
    many = type(one)(table, one.classes)
    intervals = []
    for predictions in (one, many):
        sample = Sample.of(predictions)
        intervals.append(bootstrap(SampleMetrics.of(sample), sample.patient_class, 500).percentile(AUC))
    assert intervals[0] == intervals[1]


def test_mean_has_its_normal_interval() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)

    def mean(weights):
        return {"mean": weights @ values / weights.sum(axis=1)}

    result = bootstrap(mean, np.zeros(400, int), 4000)
    error = values.std() / 20
    for interval in (result.percentile("mean"), result.bca("mean")):
        assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error * 2)
        assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error * 2)
    np.testing.assert_allclose(result.jackknife["mean"], [np.delete(values, k).mean() for k in range(400)])


def test_bca_of_a_skewed_statistic_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=60)

    def variance(weights):
        mean = weights @ values / weights.sum(axis=1)
        return {"variance": weights @ values**2 / weights.sum(axis=1) - mean**2}

    ours = bootstrap(variance, np.zeros(60, int), 20_000, seed=1).bca("variance")
    theirs = stats.bootstrap(
        (values,), np.var, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], rel=0.05)


def resample(sample: Sample):
    return bootstrap(SampleMetrics.of(sample), sample.patient_class, 400)


def test_perfect_separation_is_noted_as_no_spread(make_sample) -> None:
    result = resample(make_sample([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.8, 0.9]))
    interval = result.percentile(AUC)
    assert (interval.low, interval.high) == (1, 1)
    assert "all resamples are equal" in interval.note
    assert result.bca(AUC).note == interval.note


def test_a_class_of_one_patient_has_no_interval(make_sample) -> None:
    result = resample(make_sample([0, 0, 0, 1], [0.1, 0.2, 0.8, 0.7]))
    for interval in (result.percentile(AUC), result.bca(AUC)):
        assert np.isnan(interval.low)
        assert "a single patient" in interval.note


def test_an_undefined_estimate_has_no_interval(make_sample) -> None:
    interval = resample(make_sample([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])).percentile(
        Measure("precision", "MDS")
    )
    assert np.isnan(interval.low)
    assert interval.note == "the estimate is undefined"


def test_resamples_without_a_value_are_counted(make_sample) -> None:
    # One patient only is predicted as MDS: a third of the resamples lacks that patient.
    rare = make_sample([0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6])
    assert "undefined in" in resample(rare).percentile(Measure("precision", "MDS")).note


def test_acceleration_weights_strata_by_their_size() -> None:
    """Sum of the means of a small skewed and a large even stratum; its skewness is known in closed form."""
    generator = np.random.default_rng(3)
    strata = np.repeat([0, 1], [15, 150])
    values = np.where(strata == 0, generator.exponential(2, 165), generator.normal(0, 3, 165))

    def total(weights):
        parts = [(weights * (strata == k)) @ values / (weights @ (strata == k)) for k in range(2)]
        return {"total": parts[0] + parts[1]}

    result = bootstrap(total, strata, 4000)
    parts = [values[strata == k] - values[strata == k].mean() for k in range(2)]
    third = sum((part**3).sum() / len(part) ** 3 for part in parts)
    second = sum((part**2).sum() / len(part) ** 2 for part in parts)
    acceleration = third / (6 * second**1.5)
    draws, point = result.resamples["total"], result.point["total"]
    bias = stats.norm.ppf((draws < point).mean())
    z = bias + stats.norm.ppf([0.025, 0.975])
    expected = np.quantile(draws, stats.norm.cdf(bias + z / (1 - acceleration * z)), method="weibull")
    interval = result.bca("total")
    assert [interval.low, interval.high] == pytest.approx(list(expected), abs=1e-6)
    assert acceleration > 0.03
