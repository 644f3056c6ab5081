"""The manifest of a study is found, and a changed manifest is reported."""

import json
import shutil

import pytest

from mds_lightning.studies.cohort_files import find_manifest
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.provenance import describe_file


@pytest.fixture
def study(make_study, tmp_path):
    """A study that recorded its manifest."""
    study = StudyDirectory(make_study(tmp_path / "work", patients=6, external=0).write())
    record = json.loads(study.run("resnet18", 0).provenance.read_text())
    record["manifest"] = describe_file(tmp_path / "work/smears/manifest.csv")
    study.run("resnet18", 0).provenance.write_text(json.dumps(record))
    return study


def find(study):
    return find_manifest(study, study.run("resnet18", 0))


def test_a_study_that_was_moved_away_from_its_manifest_still_finds_it(study, tmp_path):
    moved = StudyDirectory(tmp_path / "elsewhere" / "made")
    shutil.move(study.path, moved.path)
    found = find(moved)
    assert (found.path, found.has_changed) == (tmp_path / "work/smears/manifest.csv", False)


def test_a_manifest_that_was_moved_along_with_its_study_is_found(study, tmp_path):
    shutil.move(tmp_path / "work", tmp_path / "archive")
    found = find(StudyDirectory(tmp_path / "archive/runs/made"))
    assert (found.path, found.has_changed) == (tmp_path / "archive/smears/manifest.csv", False)


def test_the_file_that_was_trained_on_is_taken_before_another_of_its_name(study, tmp_path, monkeypatch):
    other = tmp_path / "here/smears/manifest.csv"
    other.parent.mkdir(parents=True)
    other.write_text("image,patient_id,label\n")
    monkeypatch.chdir(tmp_path / "here")
    assert find(study).path == tmp_path / "work/smears/manifest.csv"


def test_a_changed_manifest_is_said_to_be_so(study, tmp_path, caplog):
    with (tmp_path / "work/smears/manifest.csv").open("a") as file:
        file.write("\n")
    assert find(study).has_changed
    assert "is not the file any more" in caplog.text


def test_a_lost_manifest_is_none(study, tmp_path):
    (tmp_path / "work/smears/manifest.csv").unlink()
    assert find(study) is None
