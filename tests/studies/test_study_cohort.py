"""The findings that a study ignores."""

import pytest

from mds_lightning.cohort.finding import CohortError
from mds_lightning.studies.study_cohort import prepare_study_cohort


@pytest.fixture
def settings(tmp_path):
    """Settings of a study whose patients 7 and 007 of one class are perhaps one."""
    ids = ["7", "007", "8", "9", "10", "11", "12", "13"]
    rows = [
        f"{number}.png,{patient},{'MDS' if number < 4 else 'donor'}" for number, patient in enumerate(ids)
    ]
    for number in range(len(ids)):
        (tmp_path / f"{number}.png").write_bytes(b"image %d" % number)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(["image,patient_id,label", *rows]) + "\n")
    return {
        "paths": {"runs": str(tmp_path / "runs")},
        "study": "s",
        "cohort": {"manifest": str(manifest), "root": None, "ignore": []},
        "task": {"name": "t", "positive": "MDS", "negative": "donor"},
        "folds": {"n_splits": 2, "seed": 0, "val_share": 0.5},
    }


def test_training_refuses_one_patient_under_two_ids_unless_the_finding_is_ignored(settings):
    with pytest.raises(CohortError, match="MDS028"):
        prepare_study_cohort(settings)
    settings["cohort"]["ignore"] = ["MDS028"]
    assert len(prepare_study_cohort(settings).cohort.table) == 8


def test_a_study_that_was_trained_before_the_check_existed_is_opened(settings):
    del settings["cohort"]["ignore"]
    assert len(prepare_study_cohort(settings).cohort.table) == 8
