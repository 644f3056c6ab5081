"""The script of a search's workers, as it is handed to `sbatch`, with a worker that says what it is told."""

import os
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "experiments/slurm/search.sbatch"
#: The first start works until SIGTERM and leaves with 143, as a worker does; the second finds nothing to do.
WORKER = """#!/bin/bash
echo start "$@" >> "{log}"
[ "$(grep -c ^start "{log}")" -gt 1 ] && exit 0
trap 'echo given back >> "{log}"; exit 143' TERM
echo ready >> "{log}"
while true; do sleep 0.1; done
"""


@pytest.mark.parametrize(
    ("tell", "starts"),
    [(("scancel", "--batch", "--signal=USR1"), 2), (("scancel",), 1)],
    ids=["time", "cancel"],
)
def test_a_worker_out_of_time_is_queued_again_and_a_cancelled_one_is_not(
    slurm, tmp_path: Path, monkeypatch, tell: tuple[str, ...], starts: int
) -> None:
    log = tmp_path / "said"
    worker = tmp_path / "bin/mds-lightning"
    worker.parent.mkdir()
    worker.write_text(WORKER.format(log=log))
    worker.chmod(0o755)
    monkeypatch.setenv("PATH", str(worker.parent), prepend=os.pathsep)
    where = (f"--chdir={tmp_path}", "--array=0", "--mem=0", "--cpus-per-task=1")
    job = slurm.ask("sbatch", "--parsable", *where, str(SCRIPT), "study=s")
    slurm.wait_until(lambda: log.exists() and "ready" in log.read_text(), seconds=60)
    slurm.ask(*tell, f"{job}_0")
    slurm.wait_until(lambda: "given back" in log.read_text(), seconds=60)
    if starts > 1:
        slurm.start_again_until(f"{job}_0", lambda: log.read_text().count("start") == 2)
    slurm.wait_until(lambda: not slurm.queue(), seconds=60)
    said = log.read_text().splitlines()
    assert [line for line in said if line.startswith("start")] == [
        f"start train -m sweep=hyperparameters launcher=local "
        f"hydra.sweeper.storage='journal://{tmp_path}/runs/search.log' study=s"
    ] * starts
    assert said.count("given back") == 1
