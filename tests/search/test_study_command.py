"""`study show` and `study clean` on a study that was searched."""

import re
import shlex
import shutil

import optuna
import pytest
from omegaconf import OmegaConf

from mds_lightning.commands.study import study
from mds_lightning.search.plan import begin, settle
from mds_lightning.search.space import read_space
from mds_lightning.studies.worker import Worker


def config(toy, **options: object):
    keys = {
        "action": "show",
        "study": str(toy.directory),
        "storage": toy.storage,
        "refresh": 2,
        "running": "gone",
    }
    return OmegaConf.create({**keys, **options})


@pytest.fixture
def searched(toy, tmp_path):
    """A search of two finished trials and one that a worker elsewhere runs."""
    toy = type(toy)(tmp_path / "toy", f"journal://{tmp_path}/toy/study.log")
    toy.here("hydra.sweeper.n_trials=2")
    held = optuna.load_study(study_name="toy", storage=toy.opened())
    space = read_space(["x=interval(0,1)", "y=interval(0,1)"])
    settle(held, begin(held, Worker("elsewhere", "b", 1, "1")), {"x": 0.25, "y": 0.5}, space)
    return toy


def test_show_tells_states_folds_best_and_what_is_left(searched, capsys) -> None:
    (view,) = study(config(searched))
    assert (view.name, view.finished, view.n_trials) == ("toy", 2, 2)
    assert [trial.state for trial in view.trials] == ["complete", "complete", "running"]
    assert view.best == max(view.trials[:2], key=lambda trial: trial.value)
    shown = capsys.readouterr().out
    assert re.search(
        r"toy: 2 of 2 finished, 1 running, best 0\.\d{4} \(trial-\d\), about 0:00:0\d left", shown
    )
    assert re.search(r"trial-2 +0\.25 +0\.5 +0 s +elsewhere, process 1", shown)
    assert f"optuna-dashboard {searched.directory}/study.log" in shown


def test_the_command_for_a_browser_can_be_typed(searched, tmp_path, capsys) -> None:
    moved = shutil.copytree(searched.directory, tmp_path / "my runs (2)/toy")
    study(config(searched, study=str(moved), storage=f"journal://{moved}/study.log"))
    [line] = [one for one in capsys.readouterr().out.splitlines() if "optuna-dashboard;" in one]
    assert shlex.split(line.partition("; ")[2]) == ["optuna-dashboard", f"{moved}/study.log"]


def test_clean_ends_only_what_it_is_told_to(searched, caplog) -> None:
    caplog.set_level("INFO")
    (kept,) = study(config(searched, action="clean"))
    assert kept.left == {2: "elsewhere, process 1"}
    assert "running=all" in caplog.text
    (ended,) = study(config(searched, action="clean", running="all"))
    assert ended.retired == (2,)
    searched.here("hydra.sweeper.n_trials=3")
    assert searched.states() == {"COMPLETE": 3, "FAIL": 1}
    assert searched.study().trials[3].params == {"x": 0.25, "y": 0.5}


def test_mistakes_are_told(searched, tmp_path) -> None:
    with pytest.raises(ValueError, match="choose one of show, clean"):
        study(config(searched, action="shwo"))
    with pytest.raises(ValueError, match="choose gone"):
        study(config(searched, action="clean", running="none"))
    with pytest.raises(ValueError, match="has no study called other"):
        study(config(searched, study=str(tmp_path / "other")))
    with pytest.raises(ValueError, match="there is no study"):
        study(config(searched, study=str(tmp_path / "other"), storage=None))
