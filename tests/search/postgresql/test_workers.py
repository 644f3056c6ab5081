"""Three workers on one real server."""

from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from ...forking import wait_for_text


def test_three_workers_share_twenty_trials_and_survive_a_kill(
    postgresql: str, toy_kept_at: Callable, tmp_path: Path
) -> None:
    # The database is empty: all three begin by making its tables.
    toy = toy_kept_at(tmp_path, f"{postgresql}/postgres")
    options = ("hydra.sweeper.n_trials=20", "seconds=0.05", "folds=1")
    logs = [tmp_path / f"worker-{k}.log" for k in range(3)]
    workers = [toy.fork(log, *options) for log in logs]
    victim = workers[0]
    wait_for_text("Launching", victim, logs[0])  # a trial is running
    victim.kill()
    for worker in workers:
        worker.join(timeout=400)
    assert [worker.exitcode for worker in workers] == [-9, 0, 0], [log.read_text() for log in logs]

    trials = toy.study().trials
    finished = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(finished) == 20
    assert len({tuple(sorted(trial.params.items())) for trial in finished}) == 20
    assert len({trial.user_attrs["directory"] for trial in finished}) == 20
    ended = [trial for trial in trials if trial not in finished]
    assert [trial.state for trial in ended] == [TrialState.FAIL]
    assert (
        ended[0].user_attrs["reason"]
        == f"killed: {ended[0].user_attrs['worker']['host']}, process {victim.pid}"
    )
    retries = [trial for trial in finished if trial.system_attrs.get("failed_trial") == ended[0].number]
    assert [trial.params for trial in retries] == [ended[0].params]
    pids = {trial.user_attrs["worker"]["pid"] for trial in finished}
    assert {worker.pid for worker in workers[1:]} <= pids, "a worker had nothing to do"


def test_an_unreachable_server_is_one_sentence_without_the_password(toy_kept_at, tmp_path: Path) -> None:
    pytest.importorskip("psycopg2", reason="the driver is in the extra `hpc`")
    toy = toy_kept_at(tmp_path, "postgresql+psycopg2://me:s3cret@127.0.0.1:1/nothing")
    with pytest.raises(
        ValueError, match=r"cannot be opened: .*refused.*Check that the server runs"
    ) as refusal:
        toy.here()
    assert "s3cret" not in str(refusal.value)
