"""`evaluate` refuses studies that are unfinished, damaged or of another split."""

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mds_lightning.cohort.folds import read_folds
from mds_lightning.commands.evaluate import evaluate
from mds_lightning.studies.folder_links import OutsideFolderError
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import read_runs
from mds_lightning.studies.provenance import FORMAT, FormatError

from .small_study import config, fold_text, make_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study")


def damage(study: Path, change: Callable[[pd.DataFrame], pd.DataFrame], fold: int = 2) -> None:
    file = study / "resnet18" / f"fold-{fold}" / "predictions.parquet"
    change(pd.read_parquet(file)).to_parquet(file, index=False)


def test_a_missing_fold_is_refused_with_the_command_to_continue(study: Path) -> None:
    command = ["/bin/mds-lightning", "train", "-m", "experiment=demo", "study=my study", "fold=0,1"]
    (study / "resnet18/fold-0/provenance.json").write_text(json.dumps({"command": command}))
    shutil.rmtree(study / "resnet18/fold-2")
    with pytest.raises(ValueError, match="fold 2 is missing") as error:
        evaluate(config(study))
    told = f"mds-lightning train -m experiment=demo study=study paths.runs={study.parent}"
    assert told in str(error.value)


def test_an_unfinished_fold_is_refused(study: Path) -> None:
    (study / "resnet18/fold-3/done.json").unlink()
    with pytest.raises(ValueError, match="fold 3 is not finished"):
        evaluate(config(study))


def test_a_start_that_was_refused_leaves_no_fold(study: Path) -> None:
    """Hydra creates the folder of a run before its settings are read, as that of `train fold=9`."""
    (study / "resnet18/fold-9").mkdir()
    (study / "densenet121/fold-0").mkdir(parents=True)
    assert StudyDirectory(study).variants() == ["resnet18"]
    assert sorted(StudyDirectory(study).runs("resnet18")) == [0, 1, 2, 3, 4]
    assert list(read_runs(StudyDirectory(study))) == ["resnet18"]


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


def test_a_patient_without_decodable_images_is_logged_and_left_out(study: Path, caplog) -> None:
    damage(study, lambda table: table[table["patient_id"] != "p16"])
    (study / "resnet18/fold-2/skipped.csv").write_text("image,lost_patient,reason\nx.jpg,p16,is empty\n")
    with caplog.at_level(logging.WARNING):
        pooled = read_runs(StudyDirectory(study))["resnet18"]
    assert "p16" not in set(pooled.split("test").table["patient_id"])
    assert "1 patients are not in the study because none of their images could be decoded: p16" in caplog.text
    (study / "resnet18/fold-2/skipped.csv").write_text("image,lost_patient,reason\nx.jpg,,is empty\n")
    with pytest.raises(ValueError, match="not those of the fold file"):
        read_runs(StudyDirectory(study))


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
    read_runs(StudyDirectory(study))
    provenance.write_text(json.dumps({"folds_hash": "0123"}))
    with pytest.raises(ValueError, match=r"fold-3/provenance\.json: trained on the split 0123"):
        read_runs(StudyDirectory(study))


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


def test_incomplete_trials_of_a_search_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = make_study(tmp_path / "study", ("trial-0", "trial-1"))
    shutil.rmtree(study / "trial-1" / "fold-3")
    pooled = read_runs(StudyDirectory(study))
    assert list(pooled) == ["trial-0"]
    assert "trial-1" in caplog.text
    shutil.rmtree(study / "trial-0" / "fold-2")
    with pytest.raises(ValueError, match=r"no trial of .* has finished every fold"):
        read_runs(StudyDirectory(study))


@pytest.mark.parametrize("name", ["evaluation", "evaluation/resnet18"])
def test_results_are_not_written_through_a_link(study: Path, tmp_path: Path, name: str) -> None:
    private = tmp_path / "private"
    private.mkdir()
    (study / name).parent.mkdir(exist_ok=True)
    (study / name).symlink_to(private)
    with pytest.raises(OutsideFolderError, match="output=DIR"):
        evaluate(config(study))
    assert not list(private.iterdir())


def test_a_study_may_be_a_link_itself(study: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(study)
    evaluate(config(tmp_path / "link"))
    assert (study / "evaluation/resnet18/metrics.csv").is_file()
