"""The manifest of a study and its images are found wherever the study is opened."""

import json
import shutil

import pytest
import yaml

from mds_lightning.studies.cohort_files import find_cohort_files, locate_settings, require_cohort_files
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.provenance import describe_file


def change(run, **cohort):
    settings = yaml.safe_load(run.config.read_text())
    settings["cohort"] |= cohort
    run.config.write_text(yaml.safe_dump(settings))


def record(run, **facts):
    known = json.loads(run.provenance.read_text())
    run.provenance.write_text(json.dumps(known | facts))


@pytest.fixture
def study(make_study, tmp_path):
    """A study that recorded its manifest."""
    study = StudyDirectory(make_study(tmp_path / "work", patients=6, external=0).write())
    record(study.run("resnet18", 0), manifest=describe_file(tmp_path / "work/smears/manifest.csv"))
    return study


@pytest.fixture
def relative(study, tmp_path):
    """The same study; its manifest is in another folder than its images, and both paths are relative."""
    run, tables = study.run("resnet18", 0), tmp_path / "work/tables"
    tables.mkdir()
    (tmp_path / "work/smears/manifest.csv").rename(tables / "manifest.csv")
    change(run, manifest="tables/manifest.csv", root="smears")
    record(run, manifest=describe_file(tables / "manifest.csv"))
    return study


def find(study):
    return find_cohort_files(study, study.run("resnet18", 0))


def test_a_study_that_was_moved_away_from_its_manifest_still_finds_it(study, tmp_path):
    moved = StudyDirectory(tmp_path / "elsewhere" / "made")
    shutil.move(study.path, moved.path)
    found = find(moved)
    assert (found.manifest, found.has_changed) == (tmp_path / "work/smears/manifest.csv", False)
    assert found.root == tmp_path / "work/smears"


def test_a_manifest_that_was_moved_along_with_its_study_is_found(study, tmp_path):
    shutil.move(tmp_path / "work", tmp_path / "archive")
    found = find(StudyDirectory(tmp_path / "archive/runs/made"))
    assert (found.manifest, found.has_changed) == (tmp_path / "archive/smears/manifest.csv", False)


def test_the_file_that_was_trained_on_is_preferred_to_another_of_its_name(study, tmp_path, monkeypatch):
    other = tmp_path / "here/smears/manifest.csv"
    other.parent.mkdir(parents=True)
    other.write_text("image,patient_id,label\n")
    monkeypatch.chdir(tmp_path / "here")
    assert find(study).manifest == tmp_path / "work/smears/manifest.csv"


def test_a_changed_manifest_is_marked_as_changed(study, tmp_path, caplog):
    with (tmp_path / "work/smears/manifest.csv").open("a") as file:
        file.write("\n")
    assert find(study).has_changed
    assert "has changed since" in caplog.text


def test_a_lost_manifest_is_none_or_refused(study, tmp_path):
    (tmp_path / "work/smears/manifest.csv").unlink()
    assert find(study) is None
    with pytest.raises(ValueError, match=r"smears/manifest.csv, on which .* was trained, is neither"):
        require_cohort_files(study, study.run("resnet18", 0))


def test_a_relative_root_starts_from_the_study_and_not_from_the_current_folder(
    relative, tmp_path, monkeypatch
):
    (tmp_path / "here/smears").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert find(relative).root == tmp_path / "work/smears"


def test_a_relative_root_is_found_after_the_study_was_moved_with_its_images(relative, tmp_path, monkeypatch):
    shutil.move(tmp_path / "work", tmp_path / "archive")
    monkeypatch.chdir(tmp_path)
    found = find(StudyDirectory(tmp_path / "archive/runs/made"))
    assert found.root == tmp_path / "archive/smears"
    assert not found.has_changed


def test_without_its_images_the_study_is_found_where_it_was_trained(relative, tmp_path, monkeypatch):
    # As with paths.runs on another disk: no folder above the study holds the images.
    moved = StudyDirectory(tmp_path / "elsewhere" / "made")
    shutil.move(relative.path, moved.path)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert find(moved).root == tmp_path / "work/smears", "by the manifest's recorded path"
    change(moved.run("resnet18", 0), manifest=str(tmp_path / "work/tables/manifest.csv"))
    record(moved.run("resnet18", 0), folder=str(tmp_path / "work"))
    assert find(moved).root == tmp_path / "work/smears", "by the recorded folder"
    record(moved.run("resnet18", 0), folder="/gone", root=str(tmp_path / "work/smears"))
    assert find(moved).root == tmp_path / "work/smears", "by the recorded root"


def test_a_lost_root_is_reported(relative, tmp_path, caplog):
    (tmp_path / "work/smears").rename(tmp_path / "work/renamed")
    assert not find(relative).root.is_dir()
    assert "cohort.root=smears is neither" in caplog.text


def test_the_places_given_by_the_user_are_taken(relative, tmp_path):
    run = relative.run("resnet18", 0)
    given = require_cohort_files(relative, run, root=str(tmp_path))
    assert (given.manifest, given.root) == (tmp_path / "work/tables/manifest.csv", tmp_path)
    given = require_cohort_files(relative, run, manifest=str(tmp_path / "m.csv"))
    assert (given.manifest, given.root) == (tmp_path / "m.csv", tmp_path)


def test_a_remote_root_is_kept(relative):
    change(relative.run("resnet18", 0), root="s3://bucket/smears")
    assert str(find(relative).root) == "s3://bucket/smears"


def test_cache_and_stain_reference_do_not_depend_on_the_current_folder(study, tmp_path, monkeypatch):
    run = study.run("resnet18", 0)
    settings = yaml.safe_load(run.config.read_text())
    settings |= {"study": "made", "cache": {"directory": "data/cache"}}
    settings["data"]["stain_reference"] = "smears/000_0.png"
    run.config.write_text(yaml.safe_dump(settings))
    monkeypatch.chdir(tmp_path)
    located = locate_settings(study, run)
    assert located["cache"]["directory"] == str(tmp_path / "work/data/cache")
    assert located["data"]["stain_reference"] == str(tmp_path / "work/smears/000_0.png")
