"""`evaluate` on studies as training leaves them, and on damaged studies."""

import shutil
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from mds_lightning.commands.evaluate import Evaluation, evaluate
from mds_lightning.statistics.estimates import COLUMNS, Settings, estimate
from mds_lightning.statistics.recalibrated_levels import learn_level_recalibrations, recalibrate_levels
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import HELD_OUT, read_runs

from .small_study import config, make_study, pick


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("studies") / "study")


@pytest.fixture
def study(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "study"))


def metrics(study: Path, **changes: Any) -> pd.DataFrame:
    return evaluate(config(study, **changes)).evidence["resnet18"].tables["metrics"]


@pytest.fixture(scope="module")
def evaluated(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Evaluation, str]:
    """A study, what `evaluate` returned, and what it showed."""
    study = Path(shutil.copytree(template, tmp_path_factory.mktemp("evaluated") / "study"))
    with redirect_stdout(StringIO()) as shown:
        result = evaluate(config(study))
    return study, result, shown.getvalue()


def test_estimates_are_computed_from_the_pooled_rows(evaluated: tuple[Path, Evaluation, str]) -> None:
    study, result, _ = evaluated
    table = result.evidence["resnet18"].tables["metrics"]
    table = table[table["interval"] != "Student t over folds"]
    raw = read_runs(StudyDirectory(study))["resnet18"]
    levels = recalibrate_levels(raw, "mean", learn_level_recalibrations(raw, "mean"))
    for level in ("image", "patient"):
        data = levels[level].split("test").table
        auc = pick(table, level=level, metric="roc_auc", **{"class": "MDS"})["value"]
        assert np.allclose(auc, roc_auc_score(data["target"], data["prob_MDS"]), atol=1e-12)
        accuracy = pick(table, level=level, metric="accuracy")["value"]
        assert np.allclose(accuracy, accuracy_score(data["target"], data["prob_MDS"] > 0.5))
    assert set(table["patients"]) == {HELD_OUT}
    assert set(table["n_patients"]) == {40}
    assert set(pick(table, level="image")["n_rows"]) == {80}
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


def test_files_are_written_and_identical_when_repeated(evaluated: tuple[Path, Evaluation, str]) -> None:
    study, result, _ = evaluated
    names = {str(file.relative_to(study / "evaluation")) for file in result.files}
    tables = ("metrics", "folds", "confusion", "calibration", "operating_points", "decision_curve")
    figures = ("roc", "roc_images", "precision_recall", "confusion", "calibration", "decision_curve")
    assert {f"resnet18/{name}.csv" for name in tables} <= names
    assert {f"resnet18/{name}.{kind}" for name in figures for kind in ("png", "svg")} <= names
    assert {f"table2_performance.{kind}" for kind in ("csv", "md", "tex")} <= names
    assert list(pd.read_csv(study / "evaluation/resnet18/metrics.csv").columns) == [
        *COLUMNS,
        "probabilities",
    ]
    assert "0.98" in (study / "evaluation/table2_performance.md").read_text(), "the paper's value beside ours"
    before = {file: file.read_bytes() for file in result.files}
    evaluate(config(study))
    assert {file for file in result.files if file.read_bytes() != before[file]} == set()


def test_the_terminal_shows_both_levels_and_the_files(evaluated: tuple[Path, Evaluation, str]) -> None:
    words = ("80 image rows", "40 patients", "ROC-AUC", "Recall, MDS", "metrics.csv", "roc.png")
    for word in words:
        assert word in evaluated[2]


def test_operating_points_match_the_thresholds(evaluated: tuple[Path, Evaluation, str]) -> None:
    result = evaluated[1]
    tables = result.evidence["resnet18"].tables
    chosen = pick(tables["thresholds"], rule="Youden index", level="image").set_index("fold")["threshold"]
    rows = result.evidence["resnet18"].test["image"].table
    called = rows["prob_MDS"] >= rows["fold"].map(chosen)
    points = pick(
        tables["operating_points"], rule="Youden index", level="image", metric="recall", **{"class": "MDS"}
    )
    pooled = points[points["interval"] != "Student t over folds"]["value"]
    assert np.allclose(pooled, called[rows["target"] == 1].mean())
    confusion = pick(tables["confusion"], level="image", true="MDS", predicted="MDS")["rows"].iloc[0]
    assert confusion == ((rows["target"] == 1) & (rows["prob_MDS"] > 0.5)).sum()


def test_seed_and_confidence_change_the_interval_and_not_the_estimate(study: Path) -> None:
    predictions = read_runs(StudyDirectory(study))["resnet18"].split("test")
    first, seed, narrow = (
        estimate(predictions, "all", Settings(n_resamples=200, **changes))
        for changes in ({}, {"seed": 1}, {"confidence": 0.5})
    )
    assert np.array_equal(first["value"], seed["value"])
    assert not np.array_equal(first["low"], seed["low"])
    assert (narrow["high"] - narrow["low"]).sum() < 0.6 * (first["high"] - first["low"]).sum()


@pytest.mark.usefixtures("quick")
def test_variants_are_compared_with_the_best_one_on_validation(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", ("densenet201", "resnet18"))
    result = evaluate(config(study, n_resamples=100))
    assert list(result.evidence) == ["densenet201", "resnet18"]
    assert (study / "evaluation/densenet201/roc.svg").is_file()
    scores = {}
    for variant in result.evidence:
        files = sorted((study / variant).glob("*/predictions.parquet"))
        val = [pd.read_parquet(file).query("split == 'val'") for file in files]
        scores[variant] = [roc_auc_score(part["target"], part["prob_MDS"]) for part in val]
    chosen = [max(sorted(scores), key=lambda variant: scores[variant][fold]) for fold in range(5)]
    line = pd.read_csv(study / "evaluation/comparison_differences.csv").iloc[0]
    assert line["reference"] == max(sorted(scores), key=chosen.count)
    assert 0 < line["p_delong"] <= 1
    assert (study / "evaluation/comparison_ranks.png").is_file()


@pytest.mark.usefixtures("quick")
def test_external_patients_of_one_class_are_compared_with_held_out_patients_of_the_other(
    tmp_path: Path,
) -> None:
    study = make_study(tmp_path / "study", external=("x100", "x102", "x104", "x106"))
    assert set(metrics(study, n_resamples=100)["patients"]) == {HELD_OUT}
    table = pd.read_csv(study / "evaluation/resnet18/external.csv", keep_default_na=False)
    expected = []
    for file in sorted(study.glob("*/*/predictions.parquet")):
        rows = pd.read_parquet(file)
        rows = rows[(rows["split"] == "external") | ((rows["split"] == "test") & (rows["target"] == 0))]
        expected.append(roc_auc_score(rows["target"], rows["prob_MDS"]))
    mean = pick(table, level="image", metric="roc_auc")
    assert set(mean["patients"]) == {"external MDS vs held-out internal donor"}
    assert np.allclose(mean["value"].astype(float), np.mean(expected), atol=1e-12)
    assert set(mean["n_patients"]) == {24}
    assert set(table["metric"]) == {"roc_auc", "recall"}
    assert (study / "evaluation/resnet18/roc_external.png").is_file()
    assert not (study / "evaluation/resnet18/precision_recall_external.png").exists()
    text = (study / "evaluation/table_external.md").read_text()
    assert "are not given, because all external patients are MDS" in text
    points = pd.read_csv(study / "evaluation/resnet18/operating_points.csv")
    assert set(points["patients"]) == {HELD_OUT}


@pytest.mark.usefixtures("quick")
def test_recalibration_on_the_site(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", external=tuple(f"x{k}" for k in range(100, 120)))
    shown = StringIO()
    with redirect_stdout(shown):
        evaluate(config(study, n_resamples=100, recalibrate="site"))
    table = pd.read_csv(study / "evaluation/resnet18/site_recalibration.csv")
    assert set(table["probabilities"]) == {
        "as carried", "offset of the site", "offset and slope of the site",
    }  # fmt: skip
    assert "labelled patients with these fractions" in " ".join(shown.getvalue().split())
    offsets = pd.read_csv(study / "evaluation/resnet18/site_offsets.csv")
    assert (offsets["low"] < offsets["offset"]).all()
    one_class = make_study(tmp_path / "one", external=("x100", "x102", "x104", "x106"))
    with pytest.raises(ValueError, match="fewer than 2 patients are donor"):
        evaluate(config(one_class, n_resamples=100, recalibrate="site"))


def pick_auc(study: Path, variant: str) -> float:
    """Patient-level ROC-AUC within folds of a variant, as its own metrics.csv has it."""
    table = pd.read_csv(study / "evaluation" / variant / "metrics.csv")
    rows = pick(table, metric="roc_auc_within_folds", level="patient", patients=HELD_OUT, **{"class": "MDS"})
    return float(rows["value"].iloc[0])


@pytest.mark.usefixtures("quick")
def test_selection_on_validation_is_compared_with_selection_on_the_test_folds(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", ("a", "b", "c"))
    shown = StringIO()
    with redirect_stdout(shown):
        evaluate(config(study, selection="inner_validation"))
    claim = pd.read_csv(study / "evaluation/selected/optimism.csv").set_index("choice")[
        "roc_auc_within_folds"
    ]
    honest, best = claim.tolist()[:2]
    assert best == max(pick_auc(study, variant) for variant in "abc")
    assert "optimistic" in shown.getvalue()
    chosen = pd.read_csv(study / "evaluation/selected/selection.csv")
    rows = pd.concat(
        pd.read_parquet(study / row.variant / f"fold-{row.fold}" / "predictions.parquet")
        for row in chosen.itertuples()
    )
    test = rows[rows["split"] == "test"]
    patients = test.groupby(["fold", "patient_id"])[["target", "prob_MDS"]].mean()
    folds = [roc_auc_score(part["target"], part["prob_MDS"]) for _, part in patients.groupby("fold")]
    assert honest == pytest.approx(np.mean(folds)), "the folds have equal numbers of pairs"
    for row in chosen.itertuples():
        scores = {}
        for variant in "abc":
            table = pd.read_parquet(study / variant / f"fold-{row.fold}" / "predictions.parquet")
            val = table[table["split"] == "val"]
            scores[variant] = roc_auc_score(val["target"], val["prob_MDS"])
        assert scores[row.variant] == max(scores.values())


def test_an_unknown_selection_is_refused(study: Path) -> None:
    with pytest.raises(ValueError, match="selection=test: choose none or inner_validation"):
        evaluate(config(study, selection="test"))
