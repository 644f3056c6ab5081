"""Jobs in other processes reach their trials through the storage."""

import pytest


def test_trials_in_worker_processes_report_and_prune(toy_at, tmp_path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    toy = toy_at(tmp_path)
    toy.run("launcher=joblib", "hydra.sweeper.n_trials=5", "folds=5")
    trials = toy.study().trials
    assert {trial.state.name for trial in trials} == {"COMPLETE", "PRUNED"}
    assert all(len(trial.intermediate_values) == (5 if trial.value else 3) or trial.state.name == "PRUNED"
               for trial in trials)  # fmt: skip
    assert sorted(path.name for path in toy.directory.glob("trial-*")) == [f"trial-{n}" for n in range(5)]
