"""Killed by SIGKILL at any moment and started again, a search ends as an undisturbed one."""

import time
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import TrialState

from ..forking import wait_for_text, wait_until

QUICK = ("seconds=0.06", "hydra.sweeper.pruner=null")


def points(trials: list[optuna.trial.FrozenTrial]) -> list[tuple[tuple[str, float], ...]]:
    return [tuple(sorted(trial.params.items())) for trial in trials]


def test_ten_kills_change_nothing(tmp_path: Path, toy_at) -> None:
    undisturbed, killed = toy_at(tmp_path / "undisturbed"), toy_at(tmp_path / "killed")
    whole = undisturbed.fork(tmp_path / "undisturbed.log", *QUICK)
    moments = np.random.default_rng(2026).uniform(0, 0.35, size=10)
    for k, moment in enumerate(moments):
        log = tmp_path / f"killed-{k}.log"
        process = killed.fork(log, *QUICK)
        if k:
            wait_for_text("study toy at", process, log)
        else:  # once while the storage is created
            wait_until((killed.directory / "study.db.lock").exists, process, log)
        time.sleep(moment)
        process.kill()
        process.join()
        assert process.exitcode == -9, f"the search was over before it could be killed: {log.read_text()}"
    last = killed.fork(tmp_path / "last.log", *QUICK)
    for process in (whole, last):
        process.join()
        assert process.exitcode == 0, [path.read_text() for path in tmp_path.glob("*.log")]

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
