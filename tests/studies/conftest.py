"""Whole commands, run as a user runs them, on a cohort small enough for seconds."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ..forking import fork

Run = Callable[..., subprocess.CompletedProcess[str]]

#: The smallest study that still has every part: two classes, two folds, external patients, occlusion maps.
SMALL = (
    "cohort.simulation.patients={MDS:8,AML:0,donor:8}",
    "cohort.simulation.fields={MDS:2,AML:1,donor:1}",
    "cohort.simulation.external_patients={MDS:2}",
    "cohort.simulation.width=160",
    "cohort.simulation.height=120",
    "folds.n_splits=2",
    "backbone=squeezenet1_1",
    "data.image_size=64",
    "trainer.max_epochs=2",
    "callbacks.occlusion_maps.images=2",
    "explain.window=0.5",
    "explain.stride=0.5",
)


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Overrides of the smallest study."""
    return SMALL


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    # One thread a process: the tests run side by side, and sums of floats keep their order.
    # A test that used W&B in this process leaves the address of its service behind: a user's shell has none.
    inherited = {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"}
    return inherited | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def mds_lightning(environment) -> Run:
    """`mds_lightning("train", ..., cwd=folder)` runs the command and returns what it wrote.

    The process is forked (see `tests/forking.py`); `test_train.py` starts the installed command itself.
    """

    program = Path(sys.executable).with_name("mds-lightning")

    def run(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        with TemporaryDirectory() as folder:
            stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
            process = fork(
                program, *arguments, home=cwd, stdout=stdout, stderr=stderr, environment=environment | more
            )
            process.join(timeout=300)
            if process.exitcode is None:
                process.kill()
                raise TimeoutError(f"{arguments} did not end: {stderr.read_text()}")
            return subprocess.CompletedProcess(
                arguments, process.exitcode, stdout.read_text(), stderr.read_text()
            )

    return run


@pytest.fixture(scope="session")
def workplace(tmp_path_factory, mds_lightning) -> Path:
    """A folder in which the small cohort is drawn and one study of two folds is trained and evaluated."""
    folder = tmp_path_factory.mktemp("workplace")
    trained = mds_lightning("train", "-m", "study=small", *SMALL, cwd=folder)
    assert trained.returncode == 0, trained.stderr
    return folder
