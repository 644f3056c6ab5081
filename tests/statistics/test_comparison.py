import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from mds_lightning.statistics.comparison import adjust_holm, compare_models
from mds_lightning.statistics.predictions import Predictions


def degrade(predictions: Predictions, noise: float, seed: int) -> Predictions:
    """The same rows by a worse model."""
    generator = np.random.default_rng(seed)
    logit = np.log(predictions.probabilities[:, 1] / predictions.probabilities[:, 0])
    chance = 1 / (1 + np.exp(-(logit + generator.normal(0, noise, len(logit)))))
    return Predictions(predictions.table.assign(prob_donor=1 - chance, prob_MDS=chance), predictions.classes)


@pytest.fixture
def models(correlated):
    good = correlated(patients=80, images=2, signal=2.0)
    return {"good": good, "like": degrade(good, 0.05, 0), "bad": degrade(good, 6, 1)}


def test_order_ranks_and_differences(models) -> None:
    result = compare_models(models, reference="good", n_resamples=1000)
    assert result.models["model"].tolist()[-1] == "bad"
    np.testing.assert_allclose(result.rank_fractions.sum(axis=1), 1, atol=1e-12)
    assert result.models["fraction_best"].iloc[-1] < 0.01
    assert result.models["rank_high"].iloc[-1] == 3
    lines = result.differences.set_index("model")
    assert set(lines.index) == {"like", "bad"}
    assert lines.loc["bad", "p_holm"] < 0.01
    assert lines.loc["bad", "p_bootstrap"] < 0.01
    assert lines.loc["bad", "high"] < 0
    assert lines.loc["like", "p_delong"] > 0.05
    assert lines.loc["like", "low"] < 0 < lines.loc["like", "high"]


def test_paired_differences_are_significant_where_intervals_overlap(correlated) -> None:
    good = correlated(patients=150, images=2, signal=1.0)
    result = compare_models({"a": good, "b": degrade(good, 1.0, 0)}, "a", n_resamples=1000)
    overlap = result.models["high"].min() - result.models["low"].max()
    assert overlap > 0
    assert result.differences["p_delong"].iloc[0] < 0.05


def test_order_of_rows_does_not_matter(models) -> None:
    shuffled = {
        name: Predictions(part.table.sample(frac=1, random_state=k).reset_index(drop=True), part.classes)
        for k, (name, part) in enumerate(models.items())
    }
    one, other = (compare_models(part, "good", n_resamples=100) for part in (models, shuffled))
    np.testing.assert_allclose(one.differences["difference"], other.differences["difference"])
    np.testing.assert_allclose(one.differences["p_delong"], other.differences["p_delong"])


def test_a_model_against_itself(models) -> None:
    result = compare_models({"a": models["good"], "b": models["good"]}, "a", n_resamples=100)
    line = result.differences.iloc[0]
    assert line["difference"] == 0
    assert np.isnan(line["p_delong"])
    assert "the same way" in line["note"]
    assert line["p_bootstrap"] == 1
    assert result.models["fraction_best"].tolist() == [1, 1]


def test_other_rows_are_refused(models) -> None:
    fewer = models["bad"].where(models["bad"].table.index > 3)
    with pytest.raises(ValueError, match="not tested on the same rows"):
        compare_models({"good": models["good"], "bad": fewer}, "good")
    with pytest.raises(ValueError, match="two or more models"):
        compare_models({"good": models["good"]}, "good")
    with pytest.raises(ValueError, match="two or more models"):
        compare_models(models, "best")


def test_holm_equals_statsmodels() -> None:
    generator = np.random.default_rng(0)
    for n in (1, 2, 15):
        p = generator.random(n) ** 3
        np.testing.assert_allclose(adjust_holm(p), multipletests(p, method="holm")[1])
    mixed = adjust_holm([0.01, np.nan, 0.04])
    np.testing.assert_allclose(mixed, [0.02, np.nan, 0.04])
