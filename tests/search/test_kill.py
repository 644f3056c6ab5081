"""Kill -9 anywhere: the search ends as if nobody had."""

import time
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import TrialState

#: Without a pruner, which would import scipy.stats in each of the twelve processes.
QUICK = ("seconds=0.06", "hydra.sweeper.pruner=null")


def wait_for(process, text: str) -> None:
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"ended without {text!r}")


def points(trials: list[optuna.trial.FrozenTrial]) -> list[tuple[tuple[str, float], ...]]:
    return [tuple(sorted(trial.params.items())) for trial in trials]


def test_ten_kills_change_nothing(tmp_path: Path, toy_at) -> None:
    undisturbed, killed = toy_at(tmp_path / "undisturbed"), toy_at(tmp_path / "killed")
    undisturbed.run(*QUICK)
    moments = np.random.default_rng(2026).uniform(0, 0.35, size=10)
    for k, moment in enumerate(moments):
        process = killed.start(*QUICK)
        if k:
            wait_for(process, "study toy at")
        else:  # once while the storage is made
            while not (killed.directory / "study.db").exists():
                time.sleep(0.01)
        time.sleep(moment)
        process.kill()
        assert process.wait() == -9, "the search was over before it could be killed"
    killed.run(*QUICK)

    states = killed.states()
    assert states["COMPLETE"] + states.get("PRUNED", 0) == 12
    assert not states.keys() & {"RUNNING", "WAITING"}
    finished = killed.finished()
    assert len(set(points(finished))) == 12
    # The same search to the last digit, in the same order and the same directories' contents.
    assert points(finished) == points(undisturbed.finished())
    assert killed.study().best_value == undisturbed.study().best_value
    # The toy opens every file for exclusive creation: a directory used twice would have failed its trial.
    reasons = [
        trial.user_attrs["reason"] for trial in killed.study().trials if trial.state is TrialState.FAIL
    ]
    assert all(reason.startswith("killed:") for reason in reasons), reasons
    directories = sorted(path.name for path in killed.directory.glob("trial-*"))
    assert len(directories) == 12
    for directory in killed.directory.glob("trial-*"):
        written = {tuple(path.read_text().split()[:2]) for path in directory.glob("fold-*.txt")}
        assert len(written) == 1, f"{directory} holds folds of two points"
