"""A search that takes milliseconds a trial, run as a user runs one: `python search.py -m ...`."""

import importlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from mds_lightning.cli import conf_directory
from mds_lightning.search.store import open_store

from ..forking import fork

TOY = Path(__file__).parent / "toy"
#: Launchers and resources are the real ones.
CONF = conf_directory()


@dataclass(frozen=True)
class Toy:
    """The toy search in one sweep directory."""

    directory: Path
    storage: str
    home: Path = TOY

    def beside(self, name: str) -> "Toy":
        """Another search of the same kind."""
        return Toy(self.directory / name, f"journal://{self.directory}/{name}/study.log")

    def _arguments(self, overrides: tuple[str, ...], config: str) -> list[str]:
        where = [f"hydra.sweep.dir={self.directory}", f'hydra.sweeper.storage="{self.storage}"']
        return ["search.py", "--config-dir", str(CONF), "--config-name", config, "-m", *where, *overrides]

    def here(self, *overrides: str, config: str = "search") -> None:
        """In this process, which saves a second a call; errors arrive as they were raised."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", self._arguments(overrides, config))
            patch.setenv("HYDRA_FULL_ERROR", "1")
            patch.syspath_prepend(str(TOY))
            importlib.import_module("search").main()

    def command(self, *overrides: str, config: str = "search") -> list[str]:
        """To be run in `home`."""
        return [sys.executable, *self._arguments(overrides, config)]

    def start(self, *overrides: str, config: str = "search") -> "subprocess.Popen[str]":
        command = self.command(*overrides, config=config)
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, cwd=TOY, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def fork(self, log: Path, *overrides: str, config: str = "search") -> BaseProcess:
        """The same as `start`, seconds sooner; the output goes to the file `log`."""
        program, *arguments = self._arguments(overrides, config)
        return fork(self.home / program, *arguments, home=self.home, stdout=log)

    def run(self, *overrides: str, config: str = "search", code: int = 0) -> str:
        process = self.start(*overrides, config=config)
        output, _ = process.communicate(timeout=400)
        assert process.returncode == code, output
        return output

    def opened(self) -> optuna.storages.BaseStorage:
        return open_store(self.storage, "toy").storage

    def study(self, name: str | None = None) -> optuna.Study:
        return optuna.load_study(study_name=name, storage=self.opened())

    def states(self) -> dict[str, int]:
        return dict(Counter(trial.state.name for trial in self.study().trials))

    def finished(self) -> list[optuna.trial.FrozenTrial]:
        return self.study().get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))


@pytest.fixture
def toy_at() -> Callable[[Path], Toy]:
    """A toy search in a directory of the test's choice, kept in a SQLite file."""
    return lambda directory: Toy(directory, f"sqlite:///{directory}/study.db")


@pytest.fixture
def toy_kept_at() -> Callable[[Path, str], Toy]:
    """A toy search in a directory and a storage of the test's choice."""
    return Toy


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A toy search kept in a journal file, which is made in no time."""
    return Toy(tmp_path, f"journal://{tmp_path}/study.log")
