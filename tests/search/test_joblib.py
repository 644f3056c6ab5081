"""Jobs in other processes reach their trials through the storage."""

import pytest


def test_trials_in_worker_processes_report_and_prune(toy_at, tmp_path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    toy = toy_at(tmp_path)
    toy.run("launcher=joblib", "hydra.sweeper.n_trials=4", "folds=4")
    trials = toy.study().trials
    assert {trial.state.name for trial in trials} == {"COMPLETE", "PRUNED"}
    steps = {(trial.state.name, len(trial.intermediate_values)) for trial in trials}
    assert steps == {("COMPLETE", 4), ("PRUNED", 3)}
    assert sorted(path.name for path in toy.directory.glob("trial-*")) == [f"trial-{n}" for n in range(4)]
