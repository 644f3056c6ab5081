"""`mds-lightning train -m launcher=slurm`: every fold is a job of the cluster."""

import itertools
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

SMALL = (
    "cohort.simulation.patients={MDS:8,AML:0,donor:8}",
    "cohort.simulation.fields={MDS:1,AML:1,donor:1}",
    "cohort.simulation.external_patients={}",
    "cohort.simulation.width=160",
    "cohort.simulation.height=120",
    "backbone=squeezenet1_1",
    "data.image_size=64",
    "trainer.max_epochs=1",
    "callbacks.occlusion_maps.images=0",
)


class Planted:
    """A pickle that writes a file when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def test_each_fold_of_each_seed_is_a_job(slurm, tmp_path: Path) -> None:
    """Results that were put into the study before the start, under ids that can be guessed, are not read."""
    marker = tmp_path / "marker"
    for job, cell in itertools.product(range(1, 21), range(4)):
        folder = tmp_path / f"runs/s/slurm/{job}_{cell}"
        folder.mkdir(parents=True)
        for name in ("0_result", "submitted"):
            (folder / f"{job}_{cell}_{name}.pkl").write_bytes(pickle.dumps(Planted(marker)))
    program = str(Path(sys.executable).with_name("mds-lightning"))
    where = ("launcher=slurm", "resources.cpus=1", "resources.memory_gb=null")
    command = [program, "train", "-m", "study=s", "seeds=2", "folds.n_splits=2", *where, *SMALL]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not marker.exists()
    cells = [(seed, fold) for seed in range(2) for fold in range(2)]
    runs = [tmp_path / f"runs/s/squeezenet1_1/seed-{seed}/fold-{fold}" for seed, fold in cells]
    assert all((run / "done.json").is_file() for run in runs)
    jobs = [json.loads((run / "provenance.json").read_text()) for run in runs]
    assert [(job["seed"], job["fold"]) for job in jobs] == cells
    assert len(list(tmp_path.glob("runs/s/slurm/*/*_?/*_result.pkl"))) == 4


def test_a_fold_that_runs_out_of_time_goes_on_from_its_last_epoch(slurm, tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("mds-lightning"))
    where = ("launcher=slurm", "resources.cpus=1", "resources.memory_gb=null")
    small = [word for word in SMALL if not word.startswith("trainer.")]
    long = ("trainer.max_epochs=20", "callbacks.early_stopping.patience=20")
    command = [program, "train", "-m", "study=s", "fold=0", *where, *small, *long]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = tmp_path / "runs/s/squeezenet1_1/fold-0"
    sweep = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    try:
        slurm.wait_until((run / "checkpoints/last.ckpt").exists)
        (job,) = {line.split()[0] for line in slurm.queue()}
        # What SLURM sends signal_delay_s before the time is up, and submitit answers.
        slurm.ask("scancel", "--signal=USR2", job)
        slurm.wait_until(lambda: not (run / "running.json").exists(), seconds=60)
        assert not list(run.glob("hpc_ckpt_*")), "Lightning made a checkpoint in the middle of an epoch"
        slurm.start_again_until(job, (run / "running.json").exists)
        slurm.wait_until((run / "done.json").exists)
        # Its next look at the queue may be half a minute away.
        assert sweep.poll() is None, "the sweep took the job for lost"
    finally:
        sweep.kill()
        sweep.wait()
    assert json.loads((run / "done.json").read_text())["epochs"] == 20
    logs = "".join(path.read_text() for path in tmp_path.glob("runs/s/slurm/**/*_log.err"))
    assert logs.count("continues from last.ckpt") == 1
