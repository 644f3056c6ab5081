"""Trials of workers that died: found, ended, queued again, once."""

import ast
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from mds_lightning.search.cleaning import clean_study
from mds_lightning.search.heartbeat import Heartbeat, silent_trials
from mds_lightning.search.identity import claim_identity, identity_of
from mds_lightning.search.plan import begin, settle
from mds_lightning.search.retry import point, retire_dead, variant
from mds_lightning.search.space import Space
from mds_lightning.search.store import Store, open_store
from mds_lightning.studies.worker import Worker

SPACE = Space({"x": FloatDistribution(0, 1)}, ())


pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path}/study.db", "s")


@pytest.fixture
def study(store: Store) -> optuna.Study:
    made = optuna.create_study(study_name="s", storage=store.storage)
    claim_identity(made, identity_of("search", SPACE.distributions, ["minimize"], {}))
    return made


@pytest.fixture(scope="module")
def dead() -> Worker:
    code = "from mds_lightning.studies.worker import Worker; print(Worker.here().record())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return Worker.of(ast.literal_eval(done.stdout))


def run_by(study: optuna.Study, worker: Worker, x: float = 0.5) -> optuna.Trial:
    return settle(study, begin(study, worker), {"x": x}, SPACE)


ELSEWHERE = Worker("elsewhere", "another boot", 1, "1")


def test_a_dead_process_of_this_machine_is_found_at_once(study, dead) -> None:
    run_by(study, dead)
    alive = run_by(study, Worker.here(), x=0.25)
    far = run_by(study, ELSEWHERE, x=0.75)
    assert [trial.number for trial in retire_dead(study, requeue=True, max_kills=3)] == [0]
    assert [trial.state.name for trial in study.trials] == ["FAIL", "RUNNING", "RUNNING", "WAITING"]
    assert (alive.number, far.number) == (1, 2)
    retry = study.trials[3]
    assert retry.system_attrs["fixed_params"] == {"x": 0.5}
    assert variant(retry) == "trial-0"
    assert point(retry, study.trials) == 0
    assert retire_dead(study, requeue=True, max_kills=3) == []


def test_a_silent_trial_of_another_machine_is_given_away(study, tmp_path: Path) -> None:
    run_by(study, ELSEWHERE)
    assert retire_dead(study, requeue=True, max_kills=3) == []
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-179 seconds')")
    assert retire_dead(study, requeue=True, max_kills=3) == []
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-190 seconds')")
    assert [trial.number for trial in retire_dead(study, requeue=True, max_kills=3)] == [0]


def test_a_worker_killed_before_it_signed_is_found_too(study) -> None:
    study.ask()
    assert len(retire_dead(study, requeue=True, max_kills=3)) == 1
    assert study.trials[1].params == {}


def test_a_kill_in_the_middle_of_retiring_queues_the_point_once(study, dead, monkeypatch) -> None:
    run_by(study, dead)
    with monkeypatch.context() as patch:
        patch.setattr(study._storage, "set_trial_state_values", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            retire_dead(study, requeue=True, max_kills=3)
    assert [trial.state.name for trial in study.trials] == ["RUNNING", "WAITING"]
    retire_dead(study, requeue=True, max_kills=3)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "WAITING"]


def test_a_point_that_kills_every_worker_is_given_up(study, dead) -> None:
    run_by(study, dead)
    for _ in range(5):
        retire_dead(study, requeue=True, max_kills=2)
        if not study.get_trials(states=(TrialState.WAITING,)):
            break
        begin(study, dead)
    assert [trial.state.name for trial in study.trials] == ["FAIL"] * 3
    assert "not tried again after 3 kills" in study.trials[-1].user_attrs["reason"]
    assert {variant(trial) for trial in study.trials} == {"trial-0"}


def test_clean_ends_what_no_sign_of_life_can_tell_of(dead, tmp_path: Path) -> None:
    store = open_store(f"journal://{tmp_path}/study.log", "s")
    study = optuna.create_study(study_name="s", storage=store.storage)
    claim_identity(study, identity_of("search", SPACE.distributions, ["minimize"], {}))
    run_by(study, ELSEWHERE)
    run_by(study, dead, x=0.25)
    first = clean_study(store, "s")
    assert (first.retired, first.left) == ((1,), {0: "elsewhere, process 1"})
    second = clean_study(store, "s", everyone=True)
    assert (second.retired, second.left) == ((0,), {})
    assert [trial.state.name for trial in study.trials] == ["FAIL", "FAIL", "WAITING", "WAITING"]
    assert [trial.system_attrs["fixed_params"]["x"] for trial in study.trials[2:]] == [0.25, 0.5]


def test_a_running_trial_gives_signs_of_life_even_if_the_database_was_away(
    tmp_path, monkeypatch, caplog
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/study.db", "s", heartbeat=1, grace=2)
    study = optuna.create_study(study_name="s", storage=store.storage)
    trial = run_by(study, ELSEWHERE)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-190 seconds')")
    beats: list[int] = []
    record = store.storage.record_heartbeat

    def record_but_first_fail(trial_id: int) -> None:
        beats.append(trial_id)
        if len(beats) == 1:
            raise OSError("the database is away")
        record(trial_id)

    monkeypatch.setattr(store.storage, "record_heartbeat", record_but_first_fail)
    assert len(silent_trials(store.storage, study._study_id)) == 1
    with Heartbeat(store.storage, [trial._trial_id]):
        time.sleep(2.3)
    assert len(beats) == 2
    assert "no heartbeat could be written: the database is away" in caplog.text
    assert silent_trials(store.storage, study._study_id) == set()
