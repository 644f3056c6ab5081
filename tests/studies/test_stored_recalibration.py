"""The recalibration that is stored with a fold."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from mds_lightning.statistics.predictions import check_predictions
from mds_lightning.statistics.recalibrated_levels import learn_level_recalibrations
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.pooled_rows import read_runs
from mds_lightning.studies.stored_recalibration import read_recalibrations, write_recalibration


@pytest.fixture
def study(made_study: Path, tmp_path: Path) -> StudyDirectory:
    return StudyDirectory(Path(shutil.copytree(made_study, tmp_path / "made")))


def write_all(study: StudyDirectory) -> dict[int, RunDirectory]:
    runs = study.runs("resnet18")
    for run in runs.values():
        rows = pd.read_parquet(run.predictions)
        write_recalibration(run, check_predictions(rows, "rows"))
    return runs


@pytest.mark.parametrize("aggregation", ["mean", "majority"])
def test_stored_and_missing_files_give_the_same(study: StudyDirectory, aggregation: str) -> None:
    predictions = read_runs(study)["resnet18"]
    expected = learn_level_recalibrations(predictions, aggregation)
    assert read_recalibrations(study.runs("resnet18"), predictions, aggregation) == expected
    runs = write_all(study)
    record = json.loads(runs[0].recalibration.read_text())
    assert set(record) == {"classes", "image", "patient"}
    assert set(record["patient"]) == {"mean", "median", "majority", "log_odds"}
    found = read_recalibrations(runs, predictions, aggregation)
    for level, folds in expected.items():
        for fold, one in folds.items():
            assert found[level][fold].slope == pytest.approx(one.slope, rel=1e-6)
            assert found[level][fold].offsets == pytest.approx(one.offsets, rel=1e-6)


def test_a_file_that_does_not_fit_the_rows_is_refused(study: StudyDirectory) -> None:
    predictions, runs = read_runs(study)["resnet18"], write_all(study)
    shutil.copy(runs[0].recalibration, runs[1].recalibration)
    with pytest.raises(ValueError, match=r"fold-1/recalibration\.json does not fit the validation rows"):
        read_recalibrations(runs, predictions, "mean")
    runs[1].recalibration.unlink()
    assert read_recalibrations(runs, predictions, "mean")["image"].keys() == {0, 1, 2}


@pytest.mark.parametrize("text", ["{", "{}", '{"image": 1}', "[]"])
def test_a_damaged_file_is_refused(study: StudyDirectory, text: str) -> None:
    predictions, runs = read_runs(study)["resnet18"], write_all(study)
    runs[2].recalibration.write_text(text)
    with pytest.raises(ValueError, match=r"fold-2/recalibration\.json is damaged .* delete it"):
        read_recalibrations(runs, predictions, "mean")


def test_other_classes_are_refused(study: StudyDirectory) -> None:
    predictions, runs = read_runs(study)["resnet18"], write_all(study)
    record = json.loads(runs[0].recalibration.read_text())
    runs[0].recalibration.write_text(json.dumps(record | {"classes": ["donor", "AML"]}))
    with pytest.raises(ValueError, match=r"is of the classes \['donor', 'AML'\]"):
        read_recalibrations(runs, predictions, "mean")
