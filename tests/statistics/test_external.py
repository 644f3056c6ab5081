import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score, roc_auc_score

from mds_lightning.statistics.estimates import Settings, estimate, list_folds
from mds_lightning.statistics.external import ENSEMBLE, compare_external, ensemble_external
from mds_lightning.statistics.predictions import Predictions

SETTINGS = Settings(n_resamples=200)


def study(correlated, labels: tuple[str, ...], folds: int = 3) -> Predictions:
    """Internal patients in three folds; external ones that every fold's model predicted differently."""
    test = correlated(patients=60, images=2, folds=folds)
    parts = [test.table]
    for fold in range(folds):
        outside = correlated(patients=16, images=2, split="external", seed=50 + fold).table
        outside = outside[outside["label"].isin(labels)].assign(fold=fold)
        parts.append(outside.assign(image="x" + outside["image"], patient_id="x" + outside["patient_id"]))
    return Predictions(pd.concat(parts, ignore_index=True), test.classes)


def test_no_external_patients_no_estimate(correlated) -> None:
    assert compare_external(correlated()) == []


def test_ensemble_is_the_mean_over_models(correlated) -> None:
    predictions = study(correlated, ("MDS",))
    ensemble = ensemble_external(predictions)
    outside = predictions.split("external").table
    expected = outside.groupby("image")["prob_MDS"].mean()
    found = ensemble.table.set_index("image")["prob_MDS"]
    np.testing.assert_allclose(found, expected[found.index])
    assert set(ensemble.table["fold"]) == {ENSEMBLE}
    assert len(ensemble.table) == len(outside) / 3


def test_each_model_is_evaluated_on_unseen_patients(correlated) -> None:
    predictions = study(correlated, ("MDS",))
    by_fold, ensemble = compare_external(predictions)
    assert by_fold.patients == "external MDS vs held-out internal donor, mean over 3 folds' models"
    for fold in range(3):
        rows = by_fold.predictions.of_fold(fold).table
        held_out = predictions.split("test").of_fold(fold).table
        inside = rows[rows["split"] == "test"]
        assert set(inside["patient_id"]) == set(held_out[held_out["label"] == "donor"]["patient_id"])
        assert set(rows[rows["split"] == "external"]["label"]) == {"MDS"}
    assert len(ensemble.predictions.table["image"].unique()) == len(ensemble.predictions.table)


def test_estimates_are_means_over_folds(correlated) -> None:
    by_fold, _ = compare_external(study(correlated, ("MDS",)))
    table = estimate(by_fold.predictions, by_fold.patients, SETTINGS, by_fold.average_folds)
    image = table[(table["level"] == "image") & (table["interval"] == "bootstrap over patients, percentile")]
    auc = image[image["metric"] == "roc_auc"].iloc[0]
    recall = image[(image["metric"] == "recall") & (image["class"] == "MDS")].iloc[0]
    parts = [by_fold.predictions.of_fold(fold) for fold in range(3)]
    assert auc["value"] == pytest.approx(
        np.mean([roc_auc_score(part.target, part.probabilities[:, 1]) for part in parts])
    )
    assert recall["value"] == pytest.approx(
        np.mean([recall_score(part.target, part.probabilities[:, 1] > 0.5) for part in parts])
    )
    assert auc["low"] < auc["value"] < auc["high"]
    assert auc["n_patients"] == 30 + 8
    spread = table[table["interval"] == "Student t over folds"]
    assert len(spread) == len(image) * 2
    assert set(table["interval"]) == {
        "bootstrap over patients, percentile", "bootstrap over patients, BCa", "Student t over folds",
    }  # fmt: skip


def test_external_patients_of_both_classes_are_evaluated_by_themselves(correlated) -> None:
    predictions = study(correlated, ("MDS", "donor"))
    by_fold, ensemble = compare_external(predictions)
    assert by_fold.patients == "external donor and MDS, mean over 3 folds' models"
    assert set(by_fold.predictions.table["split"]) == {"external"}
    assert len(ensemble.predictions.table) == 32
    table = estimate(ensemble.predictions, ensemble.patients, SETTINGS)
    auc = table[(table["metric"] == "roc_auc") & (table["level"] == "image")]
    expected = roc_auc_score(ensemble.predictions.target, ensemble.predictions.probabilities[:, 1])
    np.testing.assert_allclose(auc["value"], expected)


def test_an_external_patient_has_the_same_weight_in_every_fold(correlated) -> None:
    """Five models on the same external patients are not five cohorts: the interval must not be narrower."""
    one, five = (study(correlated, ("MDS", "donor"), folds) for folds in (1, 5))
    outside = one.split("external").table
    repeated = pd.concat([outside.assign(fold=k) for k in range(5)], ignore_index=True)
    widths = []
    for rows, average in ((outside, False), (repeated, True)):
        table = estimate(Predictions(rows, five.classes), "external", SETTINGS, average)
        auc = table[(table["metric"] == "roc_auc") & table["interval"].str.endswith("percentile")]
        widths.append((auc["high"] - auc["low"]).to_numpy())
    np.testing.assert_allclose(widths[0], widths[1])


def test_list_folds(correlated) -> None:
    predictions = correlated(patients=30, folds=3)
    table = list_folds(predictions, "held out", SETTINGS)
    line = table[(table["fold"] == 1) & (table["metric"] == "roc_auc") & (table["level"] == "image")].iloc[0]
    part = predictions.of_fold(1)
    assert line["value"] == pytest.approx(roc_auc_score(part.target, part.probabilities[:, 1]))
    assert (line["n_patients"], line["n_rows"]) == (10, 30)
