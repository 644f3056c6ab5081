"""A search that takes milliseconds a trial, run as a user runs one: `python search.py -m ...`."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

TOY = Path(__file__).parent / "toy"


@dataclass(frozen=True)
class Toy:
    """The toy search in one sweep directory."""

    directory: Path
    storage: str

    def start(self, *overrides: str, app: str = "search.py") -> "subprocess.Popen[str]":
        command = [sys.executable, app, "-m", f"hydra.sweep.dir={self.directory}",
                   f"hydra.sweeper.storage={self.storage}", *overrides]  # fmt: skip
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, cwd=TOY, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *overrides: str, app: str = "search.py", code: int = 0) -> str:
        process = self.start(*overrides, app=app)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == code, output
        return output

    def study(self, name: str | None = None) -> optuna.Study:
        from mds_lightning.search.store import open_store

        storage = open_store(self.storage, "toy").storage
        return optuna.load_study(study_name=name, storage=storage)

    def states(self) -> dict[str, int]:
        return dict(Counter(trial.state.name for trial in self.study().trials))

    def finished(self) -> list[optuna.trial.FrozenTrial]:
        return self.study().get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))


@pytest.fixture
def toy_at():
    """A toy search in a directory of the test's choice."""
    return lambda directory: Toy(directory, f"sqlite:///{directory}/study.db")


@pytest.fixture
def toy(tmp_path: Path, toy_at) -> Toy:
    return toy_at(tmp_path)
