"""All tables and figures of one variant with two and three classes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mds_lightning.reporting.figures.figures_of_variant import draw_figures
from mds_lightning.reporting.tables.evidence import gather_evidence
from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.estimates import Settings
from mds_lightning.studies.pooled_rows import HELD_OUT

QUICK = Settings(n_resamples=100)


def test_two_classes(make_pooled: Any) -> None:
    predictions = make_pooled(external=8)
    evidence = gather_evidence(predictions, QUICK)
    assert set(evidence.tables) == {
        "metrics", "folds", "confusion", "calibration", "reliability", "operating_points", "thresholds",
        "decision_curve",
    }  # fmt: skip
    drawn = dict(draw_figures(evidence))
    assert set(drawn) == {
        "roc", "roc_images", "precision_recall", "precision_recall_images", "confusion", "calibration",
        "calibration_images", "decision_curve", "roc_external", "roc_external_images",
        "precision_recall_external", "precision_recall_external_images",
    }  # fmt: skip
    points = evidence.tables["operating_points"]
    assert set(points["rule"]) == {
        "Youden index",
        "sensitivity at least 0.9",
        "sensitivity at least 0.95",
    }
    assert len(set(points["patients"])) == 2


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
    table = gather_evidence(predictions, QUICK).tables["decision_curve"].set_index("threshold")
    patients = aggregate_patients(predictions.split("test"))
    called = patients.probabilities[:, 1] >= 0.5
    positive = patients.target == 1
    expected = ((called & positive).sum() - (called & ~positive).sum()) / len(called)
    assert table.loc[0.5, "model"] == pytest.approx(expected)
    assert table.loc[0.5, "all"] == pytest.approx(0.0)
    assert (table["low"] <= table["high"]).all()


def test_temperature_scaling_corrects_overconfident_models(make_pooled: Any) -> None:
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
    assert slopes["temperature-scaled"] == pytest.approx(1, abs=0.25)
    briers = calibration["value"].xs("brier", level="metric")
    assert briers["temperature-scaled"] < briers["as predicted"]


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
