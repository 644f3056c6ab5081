"""The manifest of a study and its images are found wherever the study is opened."""

import json
import shutil

import fsspec
import pytest
import yaml

from mds_lightning.cohort.cohort_parameters import CohortLocation
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.studies.cohort_files import find_cohort_files, require_cohort_files
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.located_settings import locate_settings
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
    given = require_cohort_files(relative, run, CohortLocation(root=str(tmp_path)))
    assert (given.manifest, given.root) == (tmp_path / "work/tables/manifest.csv", tmp_path)
    given = require_cohort_files(relative, run, CohortLocation(str(tmp_path / "m.csv")))
    assert (given.manifest, given.root) == (tmp_path / "m.csv", tmp_path)


@pytest.mark.parametrize("place", ["manifest", "root", "recorded"])
def test_an_address_is_followed_only_if_the_user_names_it(study, tmp_path, caplog, place):
    """Following the advice works; an address in the study alone is never opened."""
    run, url = study.run("resnet18", 0), "memory://bucket/smears"
    filesystem = fsspec.filesystem("memory")
    filesystem.put(str(tmp_path / "work/smears") + "/", "/bucket/smears/", recursive=True)
    if place == "root":
        change(run, root=url)
    else:
        (tmp_path / "work/smears/manifest.csv").unlink()
        change(run, **({"manifest": f"{url}/manifest.csv"} if place == "manifest" else {}))
        record(run, manifest={"path": f"{url}/manifest.csv", "sha256": "0" * 64})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mds_lightning.cohort.remote_folder.RemoteFolder.entries", lambda *_: 1 / 0)
        patch.setattr("mds_lightning.cohort.remote_folder.RemoteFolder.fetch", lambda *_: 1 / 0)
        assert find(study) is None
        with pytest.raises(ValueError, match="followed only if you name it") as refused:
            require_cohort_files(study, run)
    assert "followed only if you name it" in caplog.text
    advice = str(refused.value).split(" with ")[1].split()
    given = dict(word.removeprefix("cohort.").split("=") for word in advice)
    assert str(find_cohort_files(study, run, CohortLocation(**given)).root) == url
    assert find_cohort_files(study, run, CohortLocation(root=url)) is not None
    another = CohortLocation(root="memory://bucket/smear")
    assert (find_cohort_files(study, run, another) is not None) == (place == "root")


def test_a_study_cannot_place_its_cache_anywhere(study, tmp_path):
    run = study.run("resnet18", 0)
    settings = yaml.safe_load(run.config.read_text()) | {"study": "made"}
    victim = tmp_path / "victim"
    victim.mkdir()
    settings["data"]["stain_reference"] = None
    for place in (str(victim), "../victim", str(tmp_path / "new")):
        run.config.write_text(yaml.safe_dump(settings | {"cache": {"directory": place}}))
        assert locate_settings(study, run)["cache"]["directory"] == str(tmp_path / "work/data/cache")
    image = tmp_path / "work/smears/000_0.png"
    FieldCache(CacheParameters(victim)).fill([image], [ResizeSpec((8, 8))], 10**6)
    run.config.write_text(yaml.safe_dump(settings | {"cache": {"directory": str(victim)}}))
    assert locate_settings(study, run)["cache"]["directory"] == str(victim), "a cache that is there is used"


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
