"""After SIGTERM or Ctrl-C a search returns its trial to the queue, and another process takes it."""

import os
import signal
import time
from pathlib import Path

import pytest

from mds_lightning.search import loop
from mds_lightning.search.plan import SearchPlan
from mds_lightning.search.termination import Termination

from ..forking import wait_for_text


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_stopped_search_gives_its_trial_back(toy, tmp_path: Path, sent: int, code: int) -> None:
    log = tmp_path / "log"
    process = toy.fork(log, "seconds=5", "hydra.sweeper.n_trials=1")
    wait_for_text("Launching", process, log)
    time.sleep(0.3)
    os.kill(process.pid, sent)
    process.join(timeout=200)
    # After Ctrl-C, 1: Python did not get round to ending itself by the signal.
    allowed = (code, 128 - code, 1) if sent == signal.SIGINT else (code, 128 - code)
    assert process.exitcode in allowed, log.read_text()
    given_back, queued = toy.study().trials
    assert (given_back.state.name, queued.state.name) == ("FAIL", "WAITING")
    assert given_back.user_attrs["reason"].startswith("released by")
    toy.here("hydra.sweeper.n_trials=1")
    _, retried = toy.study().trials
    assert retried.params == given_back.params
    assert [path.name for path in toy.directory.glob("trial-*")] == ["trial-0"]


@pytest.mark.parametrize(
    ("first", "second", "raised"),
    [
        (signal.SIGINT, signal.SIGINT, KeyboardInterrupt),
        (signal.SIGINT, signal.SIGTERM, SystemExit),
        (signal.SIGTERM, signal.SIGINT, SystemExit),
    ],
)
def test_a_second_signal_does_not_keep_the_trial_from_being_given_back(
    toy, monkeypatch, first: int, second: int, raised: type[BaseException]
) -> None:
    retire = loop.retire

    def interrupted(*given: object) -> None:
        os.kill(os.getpid(), second)
        retire(*given)

    monkeypatch.setattr(loop, "retire", interrupted)
    with pytest.raises(raised):
        toy.here("hydra.sweeper.n_trials=1", f"misbehave=signal-{int(first)}")
    given_back, queued = toy.study().trials
    assert (given_back.state.name, queued.state.name) == ("FAIL", "WAITING")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_trial_is_claimed_gives_it_back(toy, monkeypatch, sent: int) -> None:
    start = SearchPlan.start

    def interrupted(*given: object) -> object:
        os.kill(os.getpid(), sent)
        return start(*given)

    monkeypatch.setattr(SearchPlan, "start", interrupted)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        toy.here("hydra.sweeper.n_trials=1")
    given_back, queued = toy.study().trials
    assert (given_back.state.name, queued.state.name) == ("FAIL", "WAITING")
    assert given_back.user_attrs["reason"].startswith("released by")
    assert not list(toy.directory.glob("trial-*"))


def test_ctrl_c_keeps_its_handler() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Termination() as termination, termination.held():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_waits_for_what_must_not_be_left_half_done() -> None:
    steps = []

    def work() -> None:
        with Termination() as termination:
            with termination.held():
                os.kill(os.getpid(), signal.SIGTERM)
                steps.append("finished")
            steps.append("never reached")

    with pytest.raises(SystemExit) as left:
        work()
    assert left.value.code == 143
    assert steps == ["finished"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
