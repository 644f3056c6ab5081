import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score, roc_auc_score

from mds_lightning.statistics.estimates import Settings
from mds_lightning.statistics.external_estimates import LARGEST, estimate_external
from mds_lightning.statistics.operating_point import Rule, choose_fold_thresholds
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibrated_levels import list_levels

from ..pooled_rows import pooled_rows

SETTINGS = Settings(n_resamples=100)
YOUDEN = Rule.youden().name


def of_both_classes(**changes: int) -> Predictions:
    """External patients of both classes: those of the last class, and as many donors."""
    one = pooled_rows(external=12, **changes)
    other = one.split("external").table
    chance = other[["prob_MDS", "prob_donor"]].to_numpy()
    other = other.assign(
        image="d" + other["image"], patient_id="d" + other["patient_id"], label="donor", target=0,
        prob_donor=chance[:, 0], prob_MDS=chance[:, 1],
    )  # fmt: skip
    return Predictions(pd.concat([one.table, other], ignore_index=True), one.classes)


def estimate(predictions: Predictions) -> pd.DataFrame:
    return estimate_external(list_levels(predictions, "mean"), SETTINGS)


def test_without_external_patients_there_are_no_estimates() -> None:
    assert estimate(pooled_rows()).empty


def test_mixed_sources_have_only_metrics_that_do_not_depend_on_the_class_frequencies() -> None:
    table = estimate(pooled_rows(external=12))
    assert set(zip(table["metric"], table["class"], strict=True)) == {("roc_auc", "MDS"), ("recall", "MDS")}
    assert set(table.query("metric == 'recall'")["patients"]) == {"external MDS"}
    assert set(table.query("metric == 'roc_auc'")["patients"]) == {"external MDS vs held-out internal donor"}
    both = of_both_classes()
    assert {"precision", "accuracy", "average_precision"} < set(estimate(both)["metric"])
    sites = both.table.assign(site=np.where(both.table["target"] == 1, "a", "b"))
    mixed = estimate(Predictions(sites, both.classes))
    assert set(mixed["metric"]) == {"roc_auc", "recall", "specificity"}


def test_each_quantity_has_one_estimate() -> None:
    for predictions in (pooled_rows(external=12), of_both_classes()):
        table = estimate(predictions)
        assert not table.duplicated(["level", "rule", "metric", "class"]).any()


def test_the_mean_over_the_models_at_the_threshold_of_each_model() -> None:
    predictions = pooled_rows(external=12)
    table = estimate(predictions).query("level == 'image'")
    thresholds = choose_fold_thresholds(predictions, Rule.youden())
    recalls, aucs = [], []
    for fold in range(3):
        part = predictions.of_fold(fold)
        outside = part.split("external")
        recalls.append(recall_score(outside.target, outside.probabilities[:, 1] >= thresholds[fold]))
        rows = part.where((part.table["split"] == "external") | (
            (part.table["split"] == "test") & (part.table["target"] == 0)
        ))  # fmt: skip
        aucs.append(roc_auc_score(rows.target, rows.probabilities[:, 1]))
    for metric, rule, values in (("recall", YOUDEN, recalls), ("roc_auc", "", aucs)):
        line = table[(table["metric"] == metric) & (table["rule"] == rule)].iloc[0]
        assert line["value"] == pytest.approx(np.mean(values))
        assert (line["lowest"], line["highest"]) == pytest.approx((min(values), max(values)))
        assert line["low"] < line["value"] < line["high"]
    assert line["n_models"] == 3


def test_models_that_differ_widen_the_interval() -> None:
    predictions = of_both_classes()
    widths = []
    for by in (0.0, 3.0):
        table = predictions.table
        moved = (table["fold"] == 1) & (table["split"] == "external")
        odds = table["prob_MDS"] / table["prob_donor"] * np.where(moved, np.exp(by), 1)
        shifted = table.assign(prob_MDS=odds / (1 + odds), prob_donor=1 / (1 + odds))
        found = estimate(Predictions(shifted, predictions.classes))
        line = found.query("level == 'patient' and metric == 'specificity' and rule == @YOUDEN").iloc[0]
        widths.append(line["high"] - line["low"])
    assert widths[1] > 1.5 * widths[0]


def test_one_model_repeated_is_not_several_cohorts() -> None:
    """The interval is not narrower than that of a single model on these patients."""
    both = of_both_classes()
    first = both.table[both.table["fold"] == 0]
    repeated = pd.concat([first.assign(fold=k) for k in range(5)], ignore_index=True)
    one, five = (estimate(Predictions(rows, both.classes)) for rows in (first, repeated))
    for metric in ("recall", "roc_auc", "average_precision"):
        widths = [
            (t["high"] - t["low"])[(t["metric"] == metric) & (t["level"] == "patient")].to_numpy()
            for t in (one, five)
        ]
        np.testing.assert_allclose(*widths, rtol=1e-6)


def test_three_classes_are_predicted_by_the_largest_probability() -> None:
    predictions = pooled_rows(("donor", "MDS", "AML"), external=6)
    table = estimate(predictions)
    assert set(table["rule"]) == {LARGEST}
    assert set(zip(table["metric"], table["class"], strict=True)) == {("recall", "AML")}


def test_a_fold_without_a_threshold_leaves_the_ranking() -> None:
    predictions = pooled_rows(external=12)
    lacking = (predictions.table["fold"] == 1) & (predictions.table["split"] == "val")
    table = estimate(predictions.where(~(lacking & (predictions.table["target"] == 0))))
    assert set(table["metric"]) == {"roc_auc"}


def test_undefined_metrics_have_a_reason() -> None:
    """Without variance there is no interval; a single patient of a class has none either."""
    single = pooled_rows(external=1)
    table = estimate(single).query("level == 'patient' and metric == 'roc_auc'")
    assert table["low"].isna().all()
    assert set(table["note"]) == {"a class (or a class in a fold) has a single patient"}
