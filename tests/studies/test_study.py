"""Read access to a study from Python."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import mds_lightning
from mds_lightning.statistics.estimates import Settings


@pytest.fixture(scope="module")
def study(made_study):
    return mds_lightning.load_study(made_study)


def test_importing_the_package_imports_no_large_library():
    code = (
        "import sys, mds_lightning; "
        "print([name for name in ('torch', 'pandas', 'matplotlib', 'hydra') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_folds_rows_and_runs(study, made_study):
    assert study.variants == ["resnet18", "squeezenet1_1"]
    tested = study.folds[study.folds["part"] == "test"]
    assert tested["patient_id"].is_unique
    assert len(tested) == 48
    rows = study.rows("resnet18")
    assert rows.query("split == 'test'")["image"].is_unique
    assert len(rows.query("split == 'external'")) == 3 * 6 * 2
    fold = study.fold(1, "squeezenet1_1")
    pd.testing.assert_frame_equal(
        fold.rows, pd.read_parquet(made_study / "squeezenet1_1" / "fold-1" / "predictions.parquet")
    )
    assert fold.done["epochs"] == len(fold.curves) == 6
    assert fold.settings["backbone"]["name"] == "squeezenet1_1"
    assert fold.provenance["fold"] == 1


def test_metrics_are_those_of_evaluate(study):
    from mds_lightning.reporting.tables.evidence import gather_evidence

    quick = Settings(n_resamples=100)
    evidence = gather_evidence(study.pooled["resnet18"], quick)
    wanted = evidence.tables["metrics"]
    wanted = wanted[wanted["patients"] == wanted["patients"].iloc[0]].reset_index(drop=True)
    pd.testing.assert_frame_equal(study.metrics("resnet18", quick), wanted)


def test_maps_and_images(study):
    maps = list(study.maps("resnet18"))
    assert len(maps) == 3 * 8
    one = maps[0]
    assert one.of_class(one.predicted).shape == (48, 64)
    assert one.importance.min() >= 0
    assert one.importance.max() <= 1
    row = study.rows("resnet18").query("split == 'test'").set_index("image").loc[one.image]
    assert one.label == row["label"]
    assert one.probabilities == pytest.approx([row["prob_donor"], row["prob_MDS"]], abs=1e-6)
    assert study.image(one.image).shape == (72, 96, 3)
    assert study.image(one.image).dtype == np.uint8


def test_the_manifest_is_found_from_any_folder(study, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    table = mds_lightning.load_study(study.directory.path).manifest
    assert {"age", "sex"} <= set(table)
    assert "lymphoma" not in set(table["label"])


def test_with_several_variants_one_must_be_named(study):
    with pytest.raises(ValueError, match="several variants: give one of resnet18, squeezenet1_1"):
        study.rows()
    with pytest.raises(ValueError, match="no variant 'resnet50'"):
        study.fold(0, "resnet50")


def test_an_unfinished_study_is_read_fold_by_fold_but_not_pooled(make_study, tmp_path):
    path = make_study(tmp_path).write()
    (path / "resnet18" / "fold-2" / "done.json").unlink()
    study = mds_lightning.load_study(path)
    assert study.fold(2).done is None
    assert len(study.fold(0).rows) > 0
    with pytest.raises(ValueError, match="fold 2 is not finished"):
        study.rows()


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"folds\.json"):
        mds_lightning.load_study(tmp_path)


def test_a_lost_manifest_is_refused(make_study, tmp_path):
    path = make_study(tmp_path).write()
    (tmp_path / "smears" / "manifest.csv").unlink()
    with pytest.raises(ValueError, match=r"manifest of .* is not where"):
        _ = mds_lightning.load_study(path).manifest
