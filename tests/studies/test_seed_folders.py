"""One seed and several seeds are not mixed in one variant, and the message says how to go on."""

import shlex
import subprocess

import pytest

from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.seed_folders import refuse_other_layout, refuse_seeds_of_one_run
from mds_lightning.studies.settings import write_settings


def make_run(study: StudyDirectory, fold: int, seed: int | None = None, of: int = 0, done: bool = True):
    run = study.run("resnet18", fold, seed)
    run.path.mkdir(parents=True)
    write_settings(run.config, {"seed": of})
    if done:
        run.mark_done({})
    return run


def test_runs_of_the_same_layout_are_left_alone(tmp_path):
    one, several = StudyDirectory(tmp_path / "one"), StudyDirectory(tmp_path / "several")
    make_run(one, 0)
    make_run(several, 0, 3)
    for run in (one.run("resnet18", 1), several.run("resnet18", 0, 4), several.run("densenet121", 0)):
        refuse_other_layout(run)


def test_one_seed_after_several_is_refused(tmp_path):
    study = StudyDirectory(tmp_path / "a study")
    make_run(study, 0, 0)
    make_run(study, 0, 1)
    run = study.run("resnet18", 0)
    run.path.mkdir()
    with pytest.raises(ValueError, match=r"several seeds \(seed-0, seed-1\).*seeds=2 continues.*study=NAME"):
        refuse_other_layout(run)
    assert not run.path.exists()


def test_several_seeds_after_one_work_once_the_folds_are_moved_as_told(tmp_path):
    study = StudyDirectory(tmp_path / "a study")
    for fold, seed in ((0, 3), (1, 3), (2, 7)):
        make_run(study, fold, of=seed)
    run = study.run("resnet18", 0, 3)
    run.path.mkdir(parents=True)
    with pytest.raises(ValueError, match="was trained with one seed") as refused:
        refuse_other_layout(run)
    assert study.seeds("resnet18") == []
    commands = [line for line in str(refused.value).splitlines() if line.startswith("  ")]
    for command in commands:
        subprocess.run(shlex.split(command), check=True)
    refuse_other_layout(study.run("resnet18", 0, 3))
    assert study.seeds("resnet18") == [3, 7]
    assert list(study.runs("resnet18", 3)) == [0, 1]
    assert all(run.read_done() is not None for run in study.all_runs("resnet18"))


def test_an_unfinished_fold_is_not_moved(tmp_path):
    study = StudyDirectory(tmp_path)
    make_run(study, 0)
    make_run(study, 1, done=False)
    with pytest.raises(ValueError, match="fold-1 is not finished: finish it with the same command without"):
        refuse_other_layout(study.run("resnet18", 0, 0))


def test_several_seeds_need_a_sweep():
    refuse_seeds_of_one_run(1, "")
    refuse_seeds_of_one_run(3, "/seed-0")
    with pytest.raises(ValueError, match=r"seeds=3 without -m"):
        refuse_seeds_of_one_run(3, "")
