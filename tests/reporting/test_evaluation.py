"""`evaluate` on studies as training leaves them, and on studies that have been tampered with."""

import json
import logging
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem
from omegaconf import OmegaConf
from PIL import Image
from sklearn.metrics import accuracy_score, roc_auc_score

from mds_lightning.cohort.fold_file import write_fold_record
from mds_lightning.cohort.folds import read_folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.patient_splitting import Fold
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.commands.evaluate import Evaluation, evaluate
from mds_lightning.explain.faithfulness_curves import FaithfulnessCurves
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.statistics.estimates import COLUMNS, Settings, estimate
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import HELD_OUT, read_study
from mds_lightning.studies.provenance import FORMAT, FormatError

CLASSES = ("donor", "MDS")


def rows_of(patients: list[str], fold: int, split: str, seed: int, signal: float = 1.5) -> pd.DataFrame:
    """Two images a patient; even numbers are MDS."""
    generator = np.random.default_rng(seed)
    target = np.array([(int(name[1:]) + 1) % 2 for name in patients]).repeat(2)
    logit = generator.normal(size=len(patients)).repeat(2) + generator.normal(size=len(target)) * 0.3
    chance = (1 / (1 + np.exp(-(logit + signal * (2 * target - 1) / 2)))).astype(np.float32)
    return pd.DataFrame(
        {
            "image": [f"{name}_{k}.jpg" for name in patients for k in range(2)],
            "patient_id": np.repeat(patients, 2),
            "site": "",
            "fold": fold,
            "split": split,
            "label": [CLASSES[k] for k in target],
            "target": target,
            "prob_donor": 1 - chance,
            "prob_MDS": chance,
        }
    )


def fold_text(folds: list[Fold]) -> str:
    """The fold file of a cohort of one image a patient."""
    patients = sorted({name for fold in folds for name in fold.test})
    table = pd.DataFrame({"image": patients, "patient_id": patients, "site": "", "external": False})
    table["label"] = [CLASSES[(int(name[1:]) + 1) % 2] for name in patients]
    cohort = Cohort(table, Path("manifest.csv"), Path(), {})
    return write_fold_record(cohort, SplitParameters(len(folds), 0, 0.25), folds)


def make_study(path: Path, variants: tuple[str, ...] = ("resnet18",), external: tuple[str, ...] = ()) -> Path:
    """Five folds of 40 patients; `external` patients are predicted by every fold."""
    patients = [f"p{k}" for k in range(40)]
    folds = []
    for k in range(5):
        test = patients[k * 8 : k * 8 + 8]
        rest = [name for name in patients if name not in test]
        folds.append(Fold(k, tuple(rest[8:]), tuple(rest[:8]), tuple(test)))
    path.mkdir(parents=True)
    (path / "folds.json").write_text(fold_text(folds))
    for place, variant in enumerate(variants):
        for fold in folds:
            k = fold.index
            run = path / variant / f"fold-{k}"
            run.mkdir(parents=True)
            seed = 100 * place + k
            parts = [rows_of([*fold.val], k, "val", seed), rows_of([*fold.test], k, "test", seed + 50)]
            if external:
                parts.append(rows_of(list(external), k, "external", seed))
            pd.concat(parts, ignore_index=True).to_parquet(run / "predictions.parquet", index=False)
            (run / "done.json").write_text("{}")
    return path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("studies") / "study")


@pytest.fixture
def study(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "study"))


def config(study: Path, **changes: Any) -> Any:
    settings = {"study": str(study), "selection": "none", "aggregation": "mean", "n_resamples": 200}
    settings |= {"confidence": 0.95, "seed": 0}
    return OmegaConf.create(settings | changes)


def pick(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table


def pooled_rows(study: Path) -> pd.DataFrame:
    table = pd.concat([pd.read_parquet(file) for file in sorted(study.glob("*/*/predictions.parquet"))])
    return table[table["split"] == "test"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn but not rendered: files of their names are empty."""

    def touch(_: Any, stem: Path) -> tuple[Path, Path]:
        files = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
        for file in files:
            file.touch()
        return files

    monkeypatch.setattr("mds_lightning.reporting.evaluation.save_figure", touch)


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
    rows = pooled_rows(study)
    patients = rows.groupby("patient_id")[["target", "prob_MDS"]].mean()
    for level, data in (("image", rows), ("patient", patients)):
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
    assert list(pd.read_csv(study / "evaluation/resnet18/metrics.csv").columns) == list(COLUMNS)
    assert "0.98" in (study / "evaluation/table2_performance.md").read_text(), "the paper's value beside ours"
    before = {file: file.read_bytes() for file in result.files}
    evaluate(config(study))
    assert {file for file in result.files if file.read_bytes() != before[file]} == set()


def test_the_terminal_shows_both_levels_and_the_files(evaluated: tuple[Path, Evaluation, str]) -> None:
    words = ("80 image rows", "40 patients", "ROC-AUC", "Recall, MDS", "metrics.csv", "roc.png")
    for word in words:
        assert word in evaluated[2]


def test_thresholds_and_decisions_fit_together(evaluated: tuple[Path, Evaluation, str]) -> None:
    study, result, _ = evaluated
    tables = result.evidence["resnet18"].tables
    chosen = pick(tables["thresholds"], rule="Youden index", level="image").set_index("fold")["threshold"]
    rows = pooled_rows(study)
    called = rows["prob_MDS"] >= rows["fold"].map(chosen)
    points = pick(
        tables["operating_points"], rule="Youden index", level="image", metric="recall", **{"class": "MDS"}
    )
    pooled = points[points["interval"] != "Student t over folds"]["value"]
    assert np.allclose(pooled, called[rows["target"] == 1].mean())
    confusion = pick(tables["confusion"], level="image", true="MDS", predicted="MDS")["rows"].iloc[0]
    assert confusion == ((rows["target"] == 1) & (rows["prob_MDS"] > 0.5)).sum()


def test_seed_and_confidence_change_the_interval_and_not_the_estimate(study: Path) -> None:
    predictions = read_study(StudyDirectory(study))["resnet18"].split("test")
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
        scores[variant] = np.mean([roc_auc_score(part["target"], part["prob_MDS"]) for part in val])
    line = pd.read_csv(study / "evaluation/comparison_differences.csv").iloc[0]
    assert line["reference"] == max(scores, key=lambda variant: scores[variant])
    assert 0 < line["p_delong"] <= 1
    assert (study / "evaluation/comparison_ranks.png").is_file()


@pytest.mark.usefixtures("quick")
def test_external_patients_of_one_class_are_compared_with_held_out_patients_of_the_other(
    tmp_path: Path,
) -> None:
    study = make_study(tmp_path / "study", external=("x100", "x102", "x104", "x106"))
    table = metrics(study, n_resamples=100)
    names = list(dict.fromkeys(table["patients"]))
    assert names == [
        HELD_OUT,
        "external MDS vs held-out internal donor, mean over 5 folds' models",
        "external MDS by the ensemble of 5 models vs held-out internal donor",
    ]
    expected = []
    for file in sorted(study.glob("*/*/predictions.parquet")):
        rows = pd.read_parquet(file)
        rows = rows[(rows["split"] == "external") | ((rows["split"] == "test") & (rows["target"] == 0))]
        expected.append(roc_auc_score(rows["target"], rows["prob_MDS"]))
    mean = pick(table, patients=names[1], level="image", metric="roc_auc")
    assert np.allclose(mean["value"], np.mean(expected), atol=1e-12)
    assert set(mean["n_patients"]) == {24}
    assert (study / "evaluation/resnet18/roc_external.png").is_file()
    points = pd.read_csv(study / "evaluation/resnet18/operating_points.csv")
    assert set(points["patients"]) == set(names[:2])


def with_manifest(study: Path, save_map: Callable[..., object]) -> pd.DataFrame:
    """Give the study a manifest with clinical columns and an explained image; returns the manifest."""
    rows = pooled_rows(study).reset_index(drop=True)
    number = rows["patient_id"].str[1:].astype(int)
    manifest = rows[["image", "patient_id", "label"]].assign(
        age=40 + number, sex=np.where(number < 20, "f", "m")
    )
    folder = study.parent / "smears"
    folder.mkdir()
    manifest.to_csv(folder / "manifest.csv", index=False)
    settings = {"study": study.name, "paths": {"runs": "runs"}}
    settings |= {"cohort": {"manifest": str(folder / "manifest.csv"), "root": None}}
    (study / "resnet18/fold-0/config.yaml").write_text(yaml.safe_dump(settings))
    image = pooled_rows(study).query("fold == 0 and target == 1 and prob_MDS > 0.5").iloc[0]
    Image.fromarray(np.full((48, 64, 3), 200, np.uint8)).save(folder / image["image"])
    for method in ("occlusion", "layer_gradcam"):
        drops = np.full((2, 3, 4), 0.3, np.float32)
        explained = ExplainedImage(image["image"], 0, "test", 0, 1)
        probabilities = image[["prob_donor", "prob_MDS"]].to_numpy(np.float32)
        file = study / "resnet18/fold-0" / method / "one.npz"
        file.parent.mkdir()
        curves = FaithfulnessCurves(*(np.full(3, value, np.float32) for value in (0.1, 0.9, 0.5)))
        save_map(file, explained, CLASSES, probabilities, drops, ExplanationParameters(method), curves)
    return manifest


@pytest.mark.usefixtures("quick")
def test_the_manifest_adds_characteristics_subgroups_and_maps(
    study: Path, save_map: Callable[..., object]
) -> None:
    with_manifest(study, save_map)
    result = evaluate(config(study, n_resamples=100))
    folder = study / "evaluation"
    first = pd.read_csv(folder / "table1_patients.csv", keep_default_na=False)
    assert first.loc[0, ["characteristic", "all", "MDS", "donor"]].tolist() == ["n", "40", "20", "20"]
    subgroups = result.evidence["resnet18"].tables["subgroups"]
    assert set(subgroups["column"]) == {"age", "sex"}
    assert set(subgroups.query("column == 'sex'")["n_patients"]) == {20}
    # Maps of every method are shown, not only those of method occlusion.
    for name in ("figure3_maps.png", "figure3_maps_layer_gradcam.png"):
        assert (folder / "resnet18" / name).is_file()
        assert any(f"wrote {folder / 'resnet18' / name}" == line for line in result.summary)
    faithfulness = pd.read_csv(folder / "resnet18/faithfulness.csv")
    assert faithfulness["method"].tolist() == ["occlusion", "layer_gradcam"]
    assert faithfulness["deletion"].tolist() == pytest.approx([0.1, 0.1])
    assert faithfulness["insertion"].tolist() == pytest.approx([0.9, 0.9])


@pytest.mark.usefixtures("quick")
def test_a_remote_manifest_adds_them_too_and_estimates_do_not_need_its_server(
    study: Path,
    save_map: Callable[..., object],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_manifest(study, save_map)
    url = f"memory://{study.parent.name}"
    for path in (study.parent / "smears").iterdir():
        fsspec.filesystem("memory").pipe_file(f"{url}/{path.name}", path.read_bytes())
    settings = {"study": study.name, "paths": {"runs": "runs"}}
    settings |= {"cohort": {"manifest": f"{url}/manifest.csv", "root": None}}
    (study / "resnet18/fold-0/config.yaml").write_text(yaml.safe_dump(settings))
    with_all = evaluate(config(study, n_resamples=100))
    folder = study / "evaluation"
    assert (folder / "resnet18/figure3_maps.png").is_file()
    assert (folder / "table1_patients.csv").is_file()

    def refuse(*arguments: object, **options: object) -> None:
        raise ConnectionError("Connection refused")

    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    alone = evaluate(config(study, n_resamples=100))
    assert "the server cannot be reached (Connection refused)" in caplog.text
    assert "subgroups" not in alone.evidence["resnet18"].tables
    pd.testing.assert_frame_equal(
        alone.evidence["resnet18"].tables["metrics"], with_all.evidence["resnet18"].tables["metrics"]
    )


@pytest.mark.usefixtures("quick")
def test_a_changed_manifest_is_reported_and_not_used(
    study: Path, save_map: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    manifest = with_manifest(study, save_map)
    manifest.iloc[2:].to_csv(study.parent / "smears/manifest.csv", index=False)
    result = evaluate(config(study, n_resamples=100))
    assert "has changed since the study was trained" in caplog.text
    assert "subgroups" not in result.evidence["resnet18"].tables


def damage(study: Path, change: Callable[[pd.DataFrame], pd.DataFrame], fold: int = 2) -> None:
    file = study / "resnet18" / f"fold-{fold}" / "predictions.parquet"
    change(pd.read_parquet(file)).to_parquet(file, index=False)


def test_a_missing_fold_is_refused_with_the_command_to_continue(study: Path) -> None:
    command = ["/bin/mds-lightning", "train", "-m", "experiment=demo", "study=my study", "fold=0,1"]
    (study / "resnet18/fold-0/provenance.json").write_text(json.dumps({"command": command}))
    shutil.rmtree(study / "resnet18/fold-2")
    with pytest.raises(ValueError, match="fold 2 is missing") as error:
        evaluate(config(study))
    assert "mds-lightning train -m experiment=demo 'study=my study'" in str(error.value)


def test_an_unfinished_fold_is_refused(study: Path) -> None:
    (study / "resnet18/fold-3/done.json").unlink()
    with pytest.raises(ValueError, match="fold 3 is not finished"):
        evaluate(config(study))


FAULTS = {
    "doubled row": (lambda t: pd.concat([t, t.tail(1)]), "occurs twice"),
    "NaN": (lambda t: t.assign(prob_MDS=t["prob_MDS"].where(t.index != 3)), "row 3 .* NaN"),
    "negative": (lambda t: t.assign(prob_MDS=-t["prob_MDS"]), "outside 0..1"),
    "sum": (lambda t: t.assign(prob_MDS=t["prob_MDS"] / 2), "add up to 1"),
    "target": (lambda t: t.assign(target=1 - t["target"]), "not the index of its label"),
    "missing column": (lambda t: t.drop(columns="site"), "column site is missing"),
    "lost patient": (lambda t: t[t["patient_id"] != "p16"], "not those of the fold file.*p16"),
    "other fold": (lambda t: t.assign(fold=1), "rows of fold 1"),
    "split": (lambda t: t.assign(split="train"), "unknown split"),
    "no label": (lambda t: t.assign(label=t["label"].where(t.index != 0)), "has no label"),
    "two labels": (
        lambda t: t.assign(
            label=t["label"].where(t.index != 20, "MDS" if t["target"][20] == 0 else "donor"),
            target=t["target"].where(t.index != 20, 1 - t["target"]),
        ),
        "more than one label",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_damaged_rows_are_refused_with_file_and_reason(study: Path, fault: str) -> None:
    change, message = FAULTS[fault]
    damage(study, change)
    with pytest.raises(ValueError, match=message) as error:
        evaluate(config(study))
    assert "fold-2" in str(error.value)


def test_a_patient_whose_images_could_not_be_decoded_is_named_and_left_out(study: Path, caplog) -> None:
    damage(study, lambda table: table[table["patient_id"] != "p16"])
    (study / "resnet18/fold-2/skipped.csv").write_text("image,lost_patient,reason\nx.jpg,p16,is empty\n")
    with caplog.at_level(logging.WARNING):
        pooled = read_study(StudyDirectory(study))["resnet18"]
    assert "p16" not in set(pooled.split("test").table["patient_id"])
    assert "1 patients are not in the study because none of their images could be decoded: p16" in caplog.text
    (study / "resnet18/fold-2/skipped.csv").write_text("image,lost_patient,reason\nx.jpg,,is empty\n")
    with pytest.raises(ValueError, match="not those of the fold file"):
        read_study(StudyDirectory(study))


def test_a_foreign_fold_file_is_refused(study: Path) -> None:
    zero, one, *others = read_folds(study / "folds.json")
    swapped = [replace(one, index=0), replace(zero, index=1), *others]
    (study / "folds.json").write_text(fold_text(swapped))
    with pytest.raises(ValueError, match="not those of the fold file"):
        evaluate(config(study))


def test_an_edited_fold_file_is_refused(study: Path) -> None:
    record = json.loads((study / "folds.json").read_text())
    record["seed"] = 5
    (study / "folds.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="was edited after it was written"):
        evaluate(config(study))


def test_a_fold_that_was_trained_on_another_split_of_the_same_patients_is_refused(study: Path) -> None:
    provenance = study / "resnet18/fold-3/provenance.json"
    provenance.write_text(json.dumps({"folds_hash": read_folds(study / "folds.json").hash}))
    read_study(StudyDirectory(study))
    provenance.write_text(json.dumps({"folds_hash": "0123"}))
    with pytest.raises(ValueError, match=r"fold-3/provenance\.json: trained on the split 0123"):
        read_study(StudyDirectory(study))


def test_a_study_of_a_later_version_is_refused(study: Path) -> None:
    record = {"format": FORMAT + 1, "packages": {"mds-lightning": "9.0.0"}}
    (study / "resnet18/fold-3/provenance.json").write_text(json.dumps(record))
    with pytest.raises(FormatError, match=r"fold-3 has format .* written by mds-lightning 9\.0\.0"):
        evaluate(config(study))


def test_other_directories_are_refused(tmp_path: Path, study: Path) -> None:
    with pytest.raises(ValueError, match="is not a directory"):
        evaluate(config(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="no trained study"):
        evaluate(config(tmp_path))
    (study / "folds.json").write_text("[]")
    with pytest.raises(ValueError, match="not a fold file"):
        evaluate(config(study))


@pytest.mark.parametrize(("key", "value"), [("aggregation", "max"), ("n_resamples", 10), ("confidence", 95)])
def test_wrong_settings_are_refused(study: Path, key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        evaluate(config(study, **{key: value}))


def pick_auc(study: Path, variant: str) -> float:
    """Patient-level ROC-AUC of a variant, as its own metrics.csv has it."""
    table = pd.read_csv(study / "evaluation" / variant / "metrics.csv")
    rows = pick(table, metric="roc_auc", level="patient", patients=HELD_OUT, **{"class": "MDS"})
    return float(rows["value"].iloc[0])


@pytest.mark.usefixtures("quick")
def test_selection_on_validation_is_compared_with_selection_on_the_test_folds(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", ("a", "b", "c"))
    shown = StringIO()
    with redirect_stdout(shown):
        evaluate(config(study, selection="inner_validation"))
    claim = pd.read_csv(study / "evaluation/selected/optimism.csv").set_index("choice")["roc_auc"]
    honest, best = claim.tolist()[:2]
    assert best == max(pick_auc(study, variant) for variant in "abc")
    assert "optimistic" in shown.getvalue()
    chosen = pd.read_csv(study / "evaluation/selected/selection.csv")
    rows = pd.concat(
        pd.read_parquet(study / row.variant / f"fold-{row.fold}" / "predictions.parquet")
        for row in chosen.itertuples()
    )
    patients = rows[rows["split"] == "test"].groupby("patient_id")[["target", "prob_MDS"]].mean()
    assert honest == pytest.approx(roc_auc_score(patients["target"], patients["prob_MDS"]))
    for row in chosen.itertuples():
        scores = {}
        for variant in "abc":
            table = pd.read_parquet(study / variant / f"fold-{row.fold}" / "predictions.parquet")
            val = table[table["split"] == "val"]
            scores[variant] = roc_auc_score(val["target"], val["prob_MDS"])
        assert scores[row.variant] == max(scores.values())


def test_incomplete_trials_of_a_search_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = make_study(tmp_path / "study", ("trial-0", "trial-1"))
    shutil.rmtree(study / "trial-1" / "fold-3")
    pooled = read_study(StudyDirectory(study))
    assert list(pooled) == ["trial-0"]
    assert "trial-1" in caplog.text
    shutil.rmtree(study / "trial-0" / "fold-2")
    with pytest.raises(ValueError, match=r"no trial of .* has finished every fold"):
        read_study(StudyDirectory(study))


def test_an_unknown_selection_is_refused(study: Path) -> None:
    with pytest.raises(ValueError, match="selection=test: choose none or inner_validation"):
        evaluate(config(study, selection="test"))
