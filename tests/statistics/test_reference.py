"""Against R: pROC's AUC, DeLong and curves, boot's intervals. `fixtures/reference.R` made the figures."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mds_lightning.statistics.comparison import compare_models
from mds_lightning.statistics.curves.roc import trace_roc
from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.intervals.delong import covary_aucs, interval_of_auc
from mds_lightning.statistics.metric import Measure
from mds_lightning.statistics.operating_point import Rule, choose_threshold
from mds_lightning.statistics.ranking import Ranking
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.sample_metrics import SampleMetrics

Case = tuple[pd.DataFrame, dict[str, Any]]
N_RESAMPLES = 20_000


def arrays(rows: pd.DataFrame, model: str = "model_a") -> tuple[Any, Any, Any]:
    return rows["target"].to_numpy() == 1, rows[model].to_numpy(), rows["patient"].to_numpy()


def test_auc(case: Case, make_sample: Any) -> None:
    rows, reference = case
    for model, key in (("model_a", "auc"), ("model_b", "auc_b")):
        sample = make_sample(rows["target"], rows[model], rows["patient"])
        point = SampleMetrics.of(sample).point()[Measure("roc_auc", "MDS")]
        assert point == pytest.approx(reference[key], abs=1e-12)
        assert trace_roc(*arrays(rows, model)[:2]).auc == pytest.approx(reference[key], abs=1e-12)


def test_roc_corners(case: Case) -> None:
    rows, reference = case
    curve = trace_roc(*arrays(rows)[:2])
    np.testing.assert_allclose(curve.true_positive_rate, reference["sensitivities"], atol=1e-12)
    np.testing.assert_allclose(1 - curve.false_positive_rate, reference["specificities"], atol=1e-12)


def test_delong_covariance(case: Case) -> None:
    rows, reference = case
    scores = rows[["model_a", "model_b"]].to_numpy()
    # pROC has no clusters: every row is its own patient.
    result = covary_aucs(rows["target"].to_numpy() == 1, scores, np.arange(len(rows)))
    expected = [
        [reference["variance"], reference["covariance"]],
        [reference["covariance"], reference["variance_b"]],
    ]
    np.testing.assert_allclose(result.covariance, expected, rtol=1e-10)


def test_delong_interval(case: Case) -> None:
    rows, reference = case
    positive, score, _ = arrays(rows)
    for confidence, key in ((0.95, "interval_95"), (0.8, "interval_80")):
        interval = interval_of_auc(positive, score, np.arange(len(rows)), confidence)
        assert interval.method == "DeLong"
        assert [interval.low, interval.high] == pytest.approx(reference[key], abs=1e-6)


def test_delong_comparison(case: Case, make_predictions: Any) -> None:
    rows, reference = case
    models = {name: make_predictions(rows["target"], rows[name]) for name in ("model_a", "model_b")}
    result = compare_models(models, reference="model_b", n_resamples=100)
    line = result.differences.iloc[0]
    assert line["difference"] == pytest.approx(reference["auc"] - reference["auc_b"], abs=1e-12)
    assert line["p_delong"] == pytest.approx(reference["p"], rel=1e-6)


def test_youden_point(case: Case) -> None:
    rows, reference = case
    positive, score, _ = arrays(rows)
    threshold = choose_threshold(positive, score, Rule.youden())
    called = score >= threshold
    index = called[positive].mean() - called[~positive].mean()
    best = reference["youden"]
    assert index == pytest.approx(best["sensitivity"] + best["specificity"] - 1, abs=1e-12)
    if reference["youden_ties"] == 1:
        assert called[positive].mean() == pytest.approx(best["sensitivity"], abs=1e-12)


def assert_between(limits: tuple[float, float], reference: dict[str, list[float]]) -> None:
    """Both limits lie where a second run of boot would put them, to four standard errors."""
    for limit, lowest, highest in zip(limits, reference["lowest"], reference["highest"], strict=True):
        assert lowest - 1e-9 <= limit <= highest + 1e-9


def test_bootstrap_limits(case: Case, make_sample: Any) -> None:
    rows, reference = case
    samples = [make_sample(rows["target"], rows[name], rows["patient"]) for name in ("model_a", "model_b")]
    result = bootstrap(_Figures(samples), samples[0].patient_class, N_RESAMPLES, seed=1)
    for key, expected in reference["percentile"].items():
        interval = result.percentile(key)
        assert_between((interval.low, interval.high), expected)
    for key, expected in reference["bca"].items():
        interval = result.bca(key)
        assert_between((interval.low, interval.high), expected)


class _Figures:
    def __init__(self, samples: list[Sample]) -> None:
        self.positive = samples[0].target == 1
        self.rankings = [
            Ranking.of(self.positive, sample.probabilities[:, 1], sample.patient) for sample in samples
        ]
        right = (samples[0].probabilities[:, 1] > 0.5) == self.positive
        self.right = np.bincount(samples[0].patient, right)
        self.rows = np.bincount(samples[0].patient)

    def __call__(self, weights: Any) -> dict[str, Any]:
        one, other = (ranking.measure(weights)[0] for ranking in self.rankings)
        accuracy = weights @ self.right / (weights @ self.rows)
        return {"auc": one, "accuracy": accuracy, "difference": one - other}
