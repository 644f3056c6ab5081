"""A search sees validation rows alone; afterwards `test` asks the chosen models about test patients, once."""

import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import DictConfig, OmegaConf

import mds_lightning.commands.test as testing
from mds_lightning import load_study
from mds_lightning.commands.evaluate import evaluate
from mds_lightning.commands.report import report
from mds_lightning.commands.train import train_fold
from mds_lightning.data.field_source import DecodedFields
from mds_lightning.statistics.balanced_loss import score_balanced_loss
from mds_lightning.statistics.metrics.roc_auc import score_auroc
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.pooled_rows import UntestedError
from mds_lightning.studies.selection import NOT_BLIND

from ..unrecorded import forget_record
from .small_search import RATES, compose_train, make_search, manifest_of, spying

HOW = {
    "aggregation": "mean",
    "output": None,
    "n_resamples": 100,
    "confidence": 0.95,
    "seed": 0,
    "prevalence": None,
    "recalibrate": "none",
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float], set[str]]:
    """A search of two complete trials and a pruned one; its objectives; the images that were read."""
    folder = tmp_path_factory.mktemp("searched")
    return folder, *make_search(folder)


@pytest.fixture
def study(searched, tmp_path: Path) -> Path:
    return Path(shutil.copytree(searched[0] / "runs/searched", tmp_path / "runs/searched"))


def asked(study: Path, **changes: object) -> DictConfig:
    keys = {"study": str(study), "trials": "selected", "maps": 0, "accelerator": None, "num_workers": None}
    return OmegaConf.create({**keys, **changes})


def evaluated(study: Path, selection: str) -> str:
    """What `evaluate` shows; its figures are left out."""
    with redirect_stdout(StringIO()) as shown, pytest.MonkeyPatch.context() as patch:
        patch.setattr("mds_lightning.reporting.evaluation.draw_figures", lambda _: [])
        evaluate(OmegaConf.create({"study": str(study), "selection": selection, **HOW}))
    return shown.getvalue()


def rows_of(run: Path) -> pd.DataFrame:
    return pd.read_parquet(run / "predictions.parquet")


def splits(study: Path) -> dict[str, set[str]]:
    return {
        f"{run.parent.name}/{run.name}": set(rows_of(run)["split"])
        for run in sorted(study.glob("trial-*/fold-*"))
    }


def chosen_runs(study: Path) -> Iterator[Path]:
    """By the ROC-AUC of validation rows in the fold, then by their class-balanced loss, then by name."""
    scores = {}
    for trial in ("trial-0", "trial-1"):
        rows = [Predictions(rows_of(study / trial / f"fold-{fold}"), ("donor", "MDS")) for fold in (0, 1)]
        val = [one.split("val") for one in rows]
        scores[trial] = [(score_auroc(one.table), -score_balanced_loss(one)) for one in val]
    for fold in (0, 1):
        best = max(sorted(scores), key=lambda trial: scores[trial][fold])
        yield study / best / f"fold-{fold}"


def test_a_search_uses_no_test_and_no_external_image(searched) -> None:
    folder, objectives, images = searched
    folds = json.loads((folder / "runs/searched/folds.json").read_text())["folds"]
    manifest = manifest_of(folder)
    for fold in folds:
        rows = rows_of(folder / f"runs/searched/trial-0/fold-{fold['index']}")
        assert set(rows["split"]) == {"val"}
        assert set(rows["patient_id"]) == set(fold["val"])
    outside = manifest[manifest["external"].astype(str).str.lower() == "true"]
    assert len(outside)
    assert not images & set(outside["image"])
    assert not list(folder.glob("runs/searched/trial-*/fold-*/occlusion/*"))
    for number in (0, 1):
        scores = [score_auroc(rows_of(folder / f"runs/searched/trial-{number}/fold-{k}")) for k in (0, 1)]
        assert objectives[number] == pytest.approx(np.mean(scores))


def test_one_fold_of_a_trial_reads_its_own_training_and_validation_images_alone(tmp_path, searched) -> None:
    shutil.copytree(searched[0] / "data", tmp_path / "data")
    read: set[int] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DecodedFields, "read", spying(DecodedFields.read, read))
        train_fold(compose_train(tmp_path, "study=s", "fold=1", "cache.enabled=false"), test=False)
    fold = json.loads((tmp_path / "runs/s/folds.json").read_text())["folds"][1]
    patients = manifest_of(tmp_path).loc[sorted(read), "patient_id"]
    assert set(fold["val"]) <= set(patients) <= {*fold["train"], *fold["val"]}


def test_an_untested_search_is_refused_with_the_command(study: Path) -> None:
    for selection, more in (("none", " trials=all"), ("inner_validation", "")):
        with pytest.raises(UntestedError) as refused:
            evaluated(study, selection)
        assert f"\n  mds-lightning test study={study}{more}" in str(refused.value)
    opened = load_study(study)
    with pytest.raises(UntestedError, match="mds-lightning test"):
        report(OmegaConf.create({"study": str(study), **HOW}))
    with pytest.raises(UntestedError, match=r"trials=all .*fold\(k, 'trial-1'\)\.rows"):
        opened.metrics("trial-1")
    with pytest.raises(ValueError, match="trial-2 has not finished every fold"):
        opened.rows("trial-2")


def test_only_the_selected_runs_are_completed(study: Path) -> None:
    before = {run: rows_of(run) for run in study.glob("trial-*/fold-*")}
    tested = testing.test(asked(study))
    chosen = list(chosen_runs(study))
    assert [run.path for run in tested] == chosen
    folds = json.loads((study / "folds.json").read_text())["folds"]
    for run, rows in before.items():
        now = rows_of(run)
        pd.testing.assert_frame_equal(now[now["split"] == "val"].reset_index(drop=True), rows)
        assert set(now["split"]) == ({"val", "test", "external"} if run in chosen else {"val"})
    for run, fold in zip(chosen, folds, strict=True):
        rows = rows_of(run)
        assert set(rows.loc[rows["split"] == "test", "patient_id"]) == set(fold["test"])

    contents = {run: (run / "predictions.parquet").stat().st_mtime_ns for run in chosen}
    assert testing.test(asked(study)) == []
    assert {run: (run / "predictions.parquet").stat().st_mtime_ns for run in chosen} == contents


def test_a_tested_run_is_identical_to_one_trained_outside_a_search(study: Path, searched) -> None:
    testing.test(asked(study))
    run = next(chosen_runs(study))
    rate = f"classifier.learning_rate={RATES[int(run.parent.name[-1])]}"
    train_fold(compose_train(searched[0], "study=plain", "fold=0", rate, "callbacks.occlusion_maps.images=0"))
    plain = searched[0] / "runs/plain/shufflenet_v2_x0_5/fold-0/predictions.parquet"
    assert plain.read_bytes() == (run / "predictions.parquet").read_bytes()
    assert plain.with_name("recalibration.json").read_bytes() == (run / "recalibration.json").read_bytes()


def test_only_the_unbiased_result_is_reported_until_all_trials_are_tested(study: Path) -> None:
    testing.test(asked(study))
    shown = evaluated(study, "inner_validation")
    assert f"mds-lightning test study={study} trials=all" in shown
    assert "optimistic result of selection" in shown
    claim = pd.read_csv(study / "evaluation/selected/optimism.csv")
    assert claim["optimistic"].tolist() == [False]
    table = pd.read_csv(study / "evaluation/selected/selection.csv")
    assert [study / row.variant / f"fold-{row.fold}" for row in table.itertuples()] == list(
        chosen_runs(study)
    )
    page = report(OmegaConf.create({"study": str(study), **HOW}))
    assert "The other variants were not tested." in page.read_text()
    assert "would have given an optimistic" not in page.read_text()

    done = testing.test(asked(study, trials="all"))
    assert not {run.path for run in done} & set(chosen_runs(study)), "what was tested is not tested again"
    assert splits(study)["trial-2/fold-0"] == {"val"}, "a pruned trial is never eligible"
    assert "trials=all" not in evaluated(study, "inner_validation")
    whole = pd.read_csv(study / "evaluation/selected/optimism.csv")
    assert whole["optimistic"].tolist() == [False, True, True, False]
    assert whole["roc_auc_within_folds"][0] == claim["roc_auc_within_folds"][0]
    evaluated(study, "none")
    assert (study / "evaluation/trial-1/metrics.csv").is_file()


def test_a_search_that_was_not_blind_is_reported_as_optimistic(study: Path) -> None:
    testing.test(asked(study))
    assert "not blind" not in evaluated(study, "inner_validation")
    file = study / "trial-1/fold-0/config.yaml"
    forget_record(file.parent)
    file.write_text(file.read_text().replace("blind: true", "blind: false"))
    assert NOT_BLIND in " ".join(evaluated(study, "inner_validation").split())
    claim = pd.read_csv(study / "evaluation/selected/optimism.csv")
    assert claim["optimistic"].tolist() == [True]
    page = " ".join(report(OmegaConf.create({"study": str(study), **HOW})).read_text().split())
    assert NOT_BLIND in page
    assert "The reported numbers are optimistic" in page
    assert "therefore account for the selection" not in page
    testing.test(asked(study, trials="all"))
    assert NOT_BLIND in " ".join(evaluated(study, "none").split())
    evaluated(study, "inner_validation")
    assert pd.read_csv(study / "evaluation/selected/optimism.csv")["optimistic"].all()


def test_maps_can_be_added_later(study: Path) -> None:
    testing.test(asked(study))
    assert not list(study.glob("trial-*/fold-*/occlusion/*"))
    testing.test(asked(study, maps=2))
    for run in chosen_runs(study):
        rows = rows_of(run)
        tested = set(rows.loc[rows["split"] == "test", "image"])
        assert len(list(run.glob("occlusion/*.png"))) == 2
        for path in run.glob("occlusion/*.npz"):
            with np.load(path, allow_pickle=False) as record:
                assert str(record["image"]) in tested
    assert testing.test(asked(study, maps=2)) == []


def test_a_model_of_other_patients_is_not_tested(study: Path) -> None:
    first, second = chosen_runs(study)
    for run in (first, second):
        forget_record(run)
    file = second / "provenance.json"
    record = json.loads(file.read_text())
    for key, value in (("cohort_hash", "0" * 64), ("fold", 0)):
        file.write_text(json.dumps(record | {key: value}))
        with pytest.raises(ValueError, match=rf"was trained on other patients(.|\n)*{key}: {value} when"):
            testing.test(asked(study))
    file.write_text(json.dumps(record | {"folds_hash": "0" * 64}))
    with pytest.raises(ValueError, match="trained on the split 000"):
        testing.test(asked(study))
    file.write_text(json.dumps(record))
    (first / "provenance.json").unlink()
    with pytest.raises(ValueError, match="are not known"):
        testing.test(asked(study))
    assert all(found == {"val"} for found in splits(study).values()), "nothing was tested before the refusal"


@pytest.mark.parametrize(
    ("changes", "message"), [({"trials": "best"}, "choose selected or all"), ({"maps": -2}, "maps=-2")]
)
def test_invalid_settings_are_refused(study: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        testing.test(asked(study, **changes))
