"""On a real SLURM: a grid as jobs, a search as an array of workers."""

import re
import shlex
from collections import Counter
from pathlib import Path

from optuna.trial import TrialState

#: The node has no memory to speak of.
SMALL = ("launcher=slurm", "resources.cpus=1", "resources.memory_gb=null")


def test_a_grid_runs_as_one_job_a_cell_and_a_killed_job_fails_alone(slurm, toy) -> None:
    toy.run(
        *SMALL, "misbehave=die", "fold=0", "hydra.sweeper.max_failure_rate=0.5", "kind=b,c,d", config="grid"
    )
    assert len(list(toy.directory.glob("slurm/*/*_0/*_0_submitted.pkl"))) == 1
    trials = toy.study().trials
    states = {trial.params["kind"]: trial.state for trial in trials}
    assert states == {"b": TrialState.FAIL, "c": TrialState.COMPLETE, "d": TrialState.COMPLETE}
    (failed,) = [trial for trial in trials if trial.state is TrialState.FAIL]
    assert re.search(r"SLURM job \d+_0 ended without a result", failed.user_attrs["reason"])

    toy.run(*SMALL, "misbehave=die", "fold=0", "kind=b,c,d", config="grid")  # that cell alone
    again = toy.study().trials[len(trials) :]
    assert [(trial.params["kind"], trial.state) for trial in again] == [("b", TrialState.COMPLETE)]


def test_a_cancelled_worker_of_an_array_loses_nothing(slurm, toy, tmp_path: Path) -> None:
    command = toy.command("seconds=0.5", "hydra.sweeper.n_trials=8")
    script = tmp_path / "search.sbatch"
    script.write_text(
        "#!/bin/bash\n#SBATCH --array=0-1\n"
        f"#SBATCH --chdir={toy.home}\n#SBATCH --output={tmp_path}/worker-%a.log\n"
        f"exec srun {shlex.join(command)}\n"
    )
    array = slurm.ask("sbatch", "--parsable", str(script))
    logs = [tmp_path / f"worker-{k}.log" for k in (0, 1)]
    slurm.wait_until(lambda: all(log.exists() and "Launching" in log.read_text() for log in logs))
    slurm.ask("scancel", f"{array}_1")
    slurm.wait_until(lambda: not slurm.queue())
    trials = toy.study().trials
    states = Counter(trial.state.name for trial in trials)
    assert states["COMPLETE"] == 8, [log.read_text() for log in logs]
    # Between two trials there is nothing to give back.
    assert states in ({"COMPLETE": 8, "FAIL": 1}, {"COMPLETE": 8}), [log.read_text() for log in logs]
    slurm.wait_until(lambda: "Exited with exit code 143" in logs[1].read_text())
    for given_back in (trial for trial in trials if trial.state is TrialState.FAIL):
        assert "released by" in given_back.user_attrs["reason"]
        retry = [trial for trial in trials if trial.system_attrs.get("failed_trial") == given_back.number]
        assert [trial.params for trial in retry] == [given_back.params]
    assert len({tuple(trial.params.items()) for trial in trials}) == 8
