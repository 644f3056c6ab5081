"""The script of a search's workers, as it is handed to `sbatch`, with a worker that says what it is told."""

import os
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "experiments/slurm/search.sbatch"
#: The first start works until SIGTERM and leaves with 143, as a worker does; the second finds nothing to do.
WORKER = """#!/bin/bash
log={folder}/said-$SLURM_ARRAY_TASK_ID
echo start "$@" >> "$log"
[ "$(grep -c ^start "$log")" -gt 1 ] && exit 0
trap 'echo given back >> "$log"; exit 143' TERM
echo ready >> "$log"
while true; do sleep 0.1; done
"""
OUT_OF_TIME = ("scancel", "--batch", "--signal=USR1")


@pytest.fixture
def queue_workers(slurm, tmp_path: Path, monkeypatch):
    """Queue the script, wait until as many workers are at work, and return the job's number."""
    jobs: list[str] = []

    def queue(workers: int) -> str:
        worker = tmp_path / "bin/mds-lightning"
        worker.parent.mkdir()
        worker.write_text(WORKER.format(folder=tmp_path))
        worker.chmod(0o755)
        monkeypatch.setenv("PATH", str(worker.parent), prepend=os.pathsep)
        where = (f"--chdir={tmp_path}", f"--array=0-{workers - 1}", "--mem=0", "--cpus-per-task=1")
        job = slurm.ask("sbatch", "--parsable", *where, str(SCRIPT), "study=s")
        jobs.append(job)
        slurm.wait_until(
            lambda: all("ready" in said(tmp_path, task) for task in range(workers)),
            seconds=60,
        )
        return job

    yield queue
    # Also after a failure: the cluster is that of all tests.
    for job in jobs:
        slurm.ask("scancel", job)
    slurm.wait_until(lambda: not slurm.queue(), seconds=60)


def said(folder: Path, task: int | str) -> list[str]:
    log = folder / f"said-{task}"
    return log.read_text().splitlines() if log.exists() else []


def count_starts(folder: Path, task: int | str) -> int:
    return sum(line.startswith("start") for line in said(folder, task))


@pytest.mark.parametrize(("tell", "starts"), [(OUT_OF_TIME, 2), (("scancel",), 1)], ids=["time", "cancel"])
def test_a_worker_out_of_time_is_queued_again_and_a_cancelled_one_is_not(
    slurm, queue_workers, tmp_path: Path, tell: tuple[str, ...], starts: int
) -> None:
    job = queue_workers(1)
    slurm.ask(*tell, f"{job}_0")
    slurm.wait_until(lambda: "given back" in said(tmp_path, 0), seconds=60)
    if starts > 1:
        slurm.start_again_until(f"{job}_0", lambda: count_starts(tmp_path, 0) == 2)
    slurm.wait_until(lambda: not slurm.queue(), seconds=60)
    assert [line for line in said(tmp_path, 0) if line.startswith("start")] == [
        f"start train -m sweep=hyperparameters launcher=local "
        f"hydra.sweeper.storage='journal://{tmp_path}/runs/search.log' study=s"
    ] * starts
    assert said(tmp_path, 0).count("given back") == 1


def test_a_worker_out_of_time_stops_no_other_of_its_array(slurm, queue_workers, tmp_path: Path) -> None:
    job = queue_workers(2)
    # One worker of an array has the array's own number, by which all of it is meant.
    numbers = dict(line.split() for line in slurm.ask("squeue", "-h", "-r", "--format=%A %K").splitlines())
    task = numbers[job]
    (other,) = set(numbers.values()) - {task}
    slurm.ask(*OUT_OF_TIME, f"{job}_{task}")
    slurm.start_again_until(f"{job}_{task}", lambda: count_starts(tmp_path, task) == 2)
    assert said(tmp_path, other)[1:] == ["ready"]
