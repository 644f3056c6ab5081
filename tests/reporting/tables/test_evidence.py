"""All tables and figures of one variant with two and three classes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mds_lightning.reporting.figures.figures_of_variant import draw_figures
from mds_lightning.reporting.tables.evidence import gather_evidence
from mds_lightning.reporting.tables.evidence_cautions import list_cohort_cautions, list_model_cautions
from mds_lightning.statistics.estimates import Settings, estimate
from mds_lightning.statistics.fold_differences import EXACT
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.pooled_rows import HELD_OUT

QUICK = Settings(n_resamples=100)


def test_two_classes(make_pooled: Any) -> None:
    predictions = make_pooled(external=8)
    evidence = gather_evidence(predictions, QUICK)
    assert set(evidence.tables) == {
        "metrics", "folds", "confusion", "calibration", "reliability", "operating_points", "thresholds",
        "decision_curve", "fold_differences", "column_separation", "external",
    }  # fmt: skip
    drawn = dict(draw_figures(evidence))
    assert set(drawn) == {
        "roc", "roc_images", "precision_recall", "precision_recall_images", "confusion", "calibration",
        "calibration_images", "decision_curve", "roc_external", "roc_external_images",
    }  # fmt: skip
    points = evidence.tables["operating_points"]
    assert set(points["rule"]) == {
        "Youden index",
        "sensitivity at least 0.9",
        "sensitivity at least 0.95",
    }
    assert set(points["patients"]) == {HELD_OUT}


def test_three_classes_have_one_curve_each_and_no_thresholds(make_pooled: Any) -> None:
    evidence = gather_evidence(make_pooled(("donor", "MDS", "AML")), QUICK)
    assert not {"operating_points", "decision_curve"} & set(evidence.tables)
    assert {"roc_donor", "roc_MDS", "roc_images_AML", "confusion"} <= set(dict(draw_figures(evidence)))
    metrics = evidence.tables["metrics"]
    assert set(metrics.query("metric == 'roc_auc'")["class"]) == {"donor", "MDS", "AML", "macro"}
    assert set(evidence.tables["calibration"]["class"]) == {"donor", "MDS", "AML"}


def test_confusion_and_reliability_count_every_row(make_pooled: Any) -> None:
    predictions = make_pooled()
    evidence = gather_evidence(predictions, QUICK)
    totals = evidence.tables["confusion"].groupby("level")["rows"].sum()
    assert totals.to_dict() == {"image": 120, "patient": 60}
    binned = evidence.tables["reliability"].groupby(["probabilities", "level"])["rows"].sum()
    assert set(binned) == {120, 60}


def test_decision_curve_is_at_patient_level(make_pooled: Any) -> None:
    predictions = make_pooled()
    evidence = gather_evidence(predictions, QUICK)
    table = evidence.tables["decision_curve"].set_index("threshold")
    patients = evidence.test["patient"]
    called = patients.probabilities[:, 1] >= 0.5
    positive = patients.target == 1
    expected = ((called & positive).sum() - (called & ~positive).sum()) / len(called)
    assert table.loc[0.5, "model"] == pytest.approx(expected)
    assert table.loc[0.5, "all"] == pytest.approx(0.0)
    assert (table["low"] <= table["high"]).all()


def test_recalibration_corrects_overconfident_models(make_pooled: Any) -> None:
    predictions = make_pooled(patients=240)
    sharp = predictions.probabilities**6
    sharp /= sharp.sum(axis=1, keepdims=True)
    table = predictions.table.assign(prob_donor=sharp[:, 0], prob_MDS=sharp[:, 1])
    evidence = gather_evidence(type(predictions)(table, predictions.classes), QUICK)
    calibration = (
        evidence.tables["calibration"].query("level == 'image'").set_index(["probabilities", "metric"])
    )
    slopes = calibration["value"].xs("slope", level="metric")
    assert slopes["as predicted"] < 0.4
    assert slopes["recalibrated"] == pytest.approx(1, abs=0.25)
    briers = calibration["value"].xs("brier", level="metric")
    assert briers["recalibrated"] < briers["as predicted"]


def shift_fold(predictions: Predictions, fold: int, by: float) -> Predictions:
    """The rows with an offset added to the log-odds of one fold's model."""
    chance = predictions.probabilities[:, 1]
    odds = chance / (1 - chance) * np.where(predictions.table["fold"] == fold, np.exp(by), 1)
    shifted = odds / (1 + odds)
    return Predictions(
        predictions.table.assign(prob_donor=1 - shifted, prob_MDS=shifted), predictions.classes
    )


def test_pooled_metrics_are_recalibrated_and_those_within_folds_are_unchanged(make_pooled: Any) -> None:
    plain = make_pooled(patients=120)
    shifted = shift_fold(plain, 1, 5)
    before, after = (
        gather_evidence(one, QUICK).tables["metrics"].query("level == 'patient'") for one in (plain, shifted)
    )

    def value(table: pd.DataFrame, metric: str) -> float:
        return float(table[table["metric"] == metric]["value"].iloc[0])

    raw = estimate(shifted.split("test"), HELD_OUT, QUICK).query("level == 'patient'")
    assert value(raw, "accuracy") < value(after, "accuracy") - 0.1
    assert value(after, "accuracy") == pytest.approx(value(before, "accuracy"), abs=0.03)
    assert value(after, "roc_auc") == pytest.approx(value(before, "roc_auc"), abs=0.01)
    within = [value(table, "roc_auc_within_folds") for table in (raw, after)]
    assert within[0] == pytest.approx(within[1], abs=1e-12)
    assert set(after["probabilities"]) == {"recalibrated"}


def test_a_prevalence_adds_predictive_values_and_net_benefit(make_pooled: Any) -> None:
    settings = Settings(n_resamples=100, prevalence=0.1)
    tables = gather_evidence(make_pooled(), settings).tables
    values = tables["predictive_values"].query("rule == 'Youden index'").set_index("metric")["value"]
    own = tables["operating_points"].query("rule == 'Youden index' and level == 'patient'")
    precision = own[(own["metric"] == "precision") & (own["class"] == "MDS")]["value"].iloc[0]
    assert values["positive predictive value"] < precision
    benefit = tables["decision_curve_prevalence"].set_index("threshold")
    assert benefit.loc[0.05, "all"] == pytest.approx(0.1 - 0.9 * 0.05 / 0.95)
    assert benefit["model"].max() <= 0.1 + 1e-12
    with pytest.raises(ValueError, match=r"prevalence=0\.1: .* two classes"):
        gather_evidence(make_pooled(("donor", "MDS", "AML")), settings)


def test_cautions_of_the_tables(make_pooled: Any) -> None:
    predictions = make_pooled(patients=120, signal=3.0)
    ids = predictions.split("test").table.drop_duplicates("patient_id").set_index("patient_id")["target"]
    clinical = pd.DataFrame({"age": 60.0 - 10 * ids}, index=ids.index)
    # The model of fold 1 calls its test patients MDS, but not its validation patients.
    table = predictions.table.copy()
    wrong = (table["fold"] == 1) & (table["split"] == "test") & (table["target"] == 0)
    table.loc[wrong, ["prob_donor", "prob_MDS"]] = [0.01, 0.99]
    evidence = gather_evidence(Predictions(table, predictions.classes), QUICK, clinical)
    models, cohort = list(list_model_cautions(evidence)), list(list_cohort_cautions(evidence))
    assert any("more than chance allows in specificity" in one and "0/20" in one for one in models)
    assert any(EXACT in one for one in models)
    assert len(cohort) == 1
    assert cohort[0].startswith("The column age alone distinguishes the classes: ROC-AUC 1.000 [")


@pytest.mark.parametrize(("probability", "is_lower"), [(0.01, True), (0.99, False)])
def test_a_lower_sensitivity_for_external_patients_is_a_limitation(
    make_pooled: Any, probability: float, is_lower: bool
) -> None:
    predictions = make_pooled(external=10)
    table = predictions.table.copy()
    table.loc[table["split"] == "external", ["prob_donor", "prob_MDS"]] = [1 - probability, probability]
    evidence = gather_evidence(Predictions(table, predictions.classes), QUICK)
    said = [one for one in list_model_cautions(evidence) if "sensitivity for external patients" in one]
    assert len(said) == is_lower
    assert all("is 0.000 [" in one and "between 0.000 and 0.000" in one for one in said)


@pytest.mark.parametrize("scale", [0.2, 1.0, 4.0])
def test_recalibration_that_does_not_help_is_a_limitation(make_pooled: Any, scale: float) -> None:
    predictions = make_pooled(patients=30)
    table = predictions.table.copy()
    logits = scale * np.log(table["prob_MDS"] / table["prob_donor"])
    table["prob_MDS"], table["prob_donor"] = 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(logits))
    evidence = gather_evidence(Predictions(table, predictions.classes), QUICK)
    scores = evidence.tables["calibration"].query("level == 'patient' and metric == 'brier'")
    before, after = scores.set_index("probabilities")["value"].loc[["as predicted", "recalibrated"]]
    said = [one for one in list_model_cautions(evidence) if "Recalibration did not improve" in one]
    assert len(said) == (round(after, 3) > round(before, 3))


def test_a_fold_without_a_class_in_validation_is_left_as_predicted(make_pooled: Any) -> None:
    predictions = make_pooled()
    table = predictions.table
    lacking = (table["fold"] == 2) & (table["split"] == "val") & (table["target"] == 0)
    evidence = gather_evidence(predictions.where(~lacking), Settings(n_resamples=100, prevalence=0.1))
    assert evidence.folds_without_recalibration == {2: ("donor",)}
    raw, after = (one.split("test").of_fold(2) for one in (predictions, evidence.levels["image"]))
    np.testing.assert_allclose(raw.probabilities, after.probabilities, atol=1e-6)
    assert any("fold 2 include no donor" in one for one in list_model_cautions(evidence))
    assert "predictive_values" not in evidence.tables


def test_subgroups_of_clinical_columns(make_pooled: Any) -> None:
    predictions = make_pooled()
    ids = predictions.split("test").table["patient_id"].unique()
    clinical = pd.DataFrame(
        {
            "sex": np.where(np.arange(60) < 30, "f", "m"),
            "age": np.arange(60.0),
            "note": [f"free text {k}" for k in range(60)],
            "constant": "x",
        },
        index=pd.Index(ids, name="patient_id"),
    )
    table = gather_evidence(predictions, QUICK, clinical).tables["subgroups"]
    assert set(table["column"]) == {"sex", "age"}
    assert len(set(table.query("column == 'age'")["group"])) == 3


def test_a_fold_with_a_single_class_has_no_curve_and_is_logged(
    make_pooled: Any, caplog: pytest.LogCaptureFixture
) -> None:
    predictions = make_pooled()
    keep = ~((predictions.table["fold"] == 1) & (predictions.table["target"] == 0))
    evidence = gather_evidence(predictions.where(keep), QUICK)
    figures = dict(draw_figures(evidence))
    labels = [text.get_text() for text in figures["roc"].axes[0].get_legend().get_texts()]
    assert [text.split(":")[0] for text in labels[:2]] == ["fold 0", "fold 2"]
    assert "fold 1 has no curve" in caplog.text
    assert evidence.tables["operating_points"].empty, "fold 1's threshold cannot be chosen"
    pooled = evidence.tables["metrics"].query("metric == 'roc_auc'")
    assert set(pooled["patients"]) == {HELD_OUT}
    assert pooled[pooled["interval"] != "Student t over folds"]["value"].notna().all()
    spread = pooled[pooled["interval"] == "Student t over folds"]
    assert spread["value"].isna().all()
    assert (spread["note"] != "").all()
