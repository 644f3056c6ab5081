"""The record of a run while its files are added and replaced."""

import os
import shutil
from pathlib import Path

import pytest

from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.recorded_files import AlteredRunError, verify_file
from mds_lightning.studies.recorded_maps import find_maps
from mds_lightning.studies.recording import finish_run, record_maps, replace_recorded
from mds_lightning.studies.verification import verify_study


@pytest.fixture
def run(made_study: Path, tmp_path: Path) -> RunDirectory:
    study = Path(shutil.copytree(made_study, tmp_path / "made"))
    run = RunDirectory(study / "resnet18/fold-0")
    finish_run(run, {"val_auroc": 0.8, "epochs": 6})
    return run


def differences(run: RunDirectory) -> list[tuple[str, str]]:
    study = StudyDirectory(run.path.parent.parent)
    return [(one.name, one.state) for each in verify_study(study).runs for one in each.differences]


def test_a_replaced_file_is_recorded(run: RunDirectory) -> None:
    with replace_recorded(run, run.predictions) as temporary:
        temporary.write_bytes(b"new")
    verify_file(run, run.predictions)
    assert differences(run) == []
    run.predictions.write_bytes(b"other")
    with pytest.raises(AlteredRunError, match=r"predictions\.parquet is not the file that was recorded"):
        verify_file(run, run.predictions)
    assert differences(run) == [("predictions.parquet", "differs")]


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_process_killed_while_it_replaces_a_file_leaves_a_valid_run(
    run: RunDirectory, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run.predictions.read_bytes()
    rename = Path.replace

    def stop(path: Path, target: Path) -> Path:
        if target != run.predictions:
            return rename(path, target)
        if killed == "after":
            rename(path, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt), replace_recorded(run, run.predictions) as temporary:
        temporary.write_bytes(b"new")
    monkeypatch.undo()
    assert run.predictions.read_bytes() == (before if killed == "before" else b"new")
    assert differences(run) == []
    with replace_recorded(run, run.predictions) as temporary:
        temporary.write_bytes(b"newer")
    assert "rewriting" not in (run.read_done() or {})
    assert differences(run) == []


def test_a_run_that_is_not_finished_has_no_record(made_study: Path, tmp_path: Path) -> None:
    run = RunDirectory(Path(shutil.copytree(made_study / "resnet18/fold-0", tmp_path / "fold-0")))
    run.done.unlink()
    with replace_recorded(run, run.recalibration) as temporary:
        temporary.write_bytes(b"new")
    record_maps(run, [run.maps("occlusion")])
    assert not run.done.exists()
    verify_file(run, run.recalibration)


def test_maps_are_recorded_and_removed_from_the_record(run: RunDirectory) -> None:
    folder = run.maps("occlusion")
    found = find_maps([run])["occlusion"]
    found[0].unlink()
    with pytest.raises(AlteredRunError, match=r"is missing.*computes it again"):
        find_maps([run])
    shutil.copy(found[1], found[0])
    shutil.copy(found[2], folder / "more.npz")
    record_maps(run, [folder, run.path.parent])
    assert len(find_maps([run])["occlusion"]) == len(found) + 1
    before = run.done.stat().st_ino
    record_maps(run, [run.path.parent])
    assert run.done.stat().st_ino == before, "nothing is written for maps in another folder"
    shutil.rmtree(folder)
    assert find_maps([run]) == {}, "who does not want maps may remove them"


def test_a_run_given_by_another_path_is_verified(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parent)
    relative = RunDirectory(Path(os.curdir) / "fold-0")
    verify_file(relative, relative.predictions)
    assert len(find_maps([relative])["occlusion"]) == len(find_maps([run])["occlusion"])
