"""Two real processes and one run directory."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mds_lightning.cohort.explained_error import ExplainedError
from mds_lightning.studies.run_lock import BusyRunError, Holder, lock_run
from mds_lightning.studies.worker import Worker

#: Holds the directory, and has a child as a loader of images is one: a copy of itself that outlives it.
HOLD = """
import os, sys, time
from pathlib import Path
from mds_lightning.studies.run_lock import lock_run
with lock_run(Path(sys.argv[1])):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()
    os.kill(child, 9)
"""


@contextmanager
def holding(directory: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    command = [sys.executable, "-c", HOLD, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process, child
        finally:
            process.kill()
            if Path(f"/proc/{child}").exists():
                os.kill(child, signal.SIGKILL)


def test_a_link_is_not_emptied(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.write_text("mine")
    (tmp_path / "fold-0").mkdir()
    (tmp_path / "fold-0/running.json").symlink_to(private)
    with (
        pytest.raises(ExplainedError, match=r"running\.json is a link.*: remove it"),
        lock_run(tmp_path / "fold-0"),
    ):
        pass
    assert private.read_text() == "mine"


def test_a_second_process_is_refused_with_the_holder_and_takes_over_if_that_was_killed(
    tmp_path: Path, caplog
) -> None:
    caplog.set_level("INFO")
    with holding(tmp_path) as (process, child):
        for _ in range(2):  # a refusal leaves no trace
            with pytest.raises(BusyRunError, match=f"process {process.pid}, since 20"), lock_run(tmp_path):
                pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert Path(f"/proc/{child}").exists()
        with lock_run(tmp_path):
            record = json.loads((tmp_path / "running.json").read_text())
            assert record["worker"]["pid"] == os.getpid()
    assert "taken over from" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_released_lock_leaves_no_file(tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO")
    with holding(tmp_path) as (process, _):
        process.communicate("\n")
    assert process.returncode == 0
    assert not list(tmp_path.iterdir())
    with lock_run(tmp_path):
        pass
    assert "taken over" not in caplog.text


@pytest.mark.parametrize(("squeue", "refused"), [("echo 45", True), ("exit 1", False)])
def test_a_running_slurm_job_holds_the_lock_where_locks_are_not_shared(
    tmp_path: Path, monkeypatch, squeue: str, refused: bool
) -> None:
    tool = tmp_path / "bin/squeue"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{squeue}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    run = tmp_path / "fold-0"
    run.mkdir()
    worker = Worker("node7", "another boot", 123, "1").record()
    kept = {"worker": worker, "slurm_job": "45", "since": "2026-01-01T00:00:00+00:00"}
    (run / "running.json").write_text(json.dumps(kept))
    if refused:
        with pytest.raises(BusyRunError, match="node7, process 123, SLURM job 45"), lock_run(run):
            pass
        assert Holder.read((run / "running.json").read_text()) is not None
    else:
        with lock_run(run):
            pass


def test_without_locks_a_warning_is_logged_and_the_record_is_used(
    tmp_path: Path, monkeypatch, caplog
) -> None:
    def unable(*_: object) -> None:
        raise OSError(37, "No locks available")

    with holding(tmp_path) as (process, _):
        monkeypatch.setattr("fcntl.lockf", unable)
        with pytest.raises(BusyRunError, match=f"process {process.pid}"), lock_run(tmp_path):
            pass
    assert "has no locks" in caplog.text
    with lock_run(tmp_path):
        pass


def test_other_ranks_of_a_distributed_job_do_not_take_the_lock(tmp_path: Path, monkeypatch) -> None:
    with holding(tmp_path):
        with pytest.raises(BusyRunError), lock_run(tmp_path):
            pass
        monkeypatch.setattr("lightning.pytorch.utilities.rank_zero_only.rank", 1)
        with lock_run(tmp_path):
            pass
