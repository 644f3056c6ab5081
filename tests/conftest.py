"""Fixtures of several rooms, and the marks of all tests."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mds_lightning.maps.importance_map import ImportanceMap

from .forking import fork
from .made_study import StudyMaker, save_map
from .object_store import ObjectStore
from .pooled_rows import make_pooled  # noqa: F401

#: Marks by place below `tests/` and by fixture. `make test-fast` leaves out what has one of these marks.
MARKS: dict[str, tuple[set[str], set[str]]] = {
    "study": (
        {
            "explain/incremental/run/test_kernels.py",
            "explain/incremental/run/test_random_graphs.py",
            "hostile",
            "notebooks",
            "search/slurm",
            "search/test_joblib.py",
            "search/test_kill.py",
            "search/test_null_selection.py",
            "search/test_termination.py",
            "studies/test_remedies.py",
            "studies/test_run_lock.py",
        },
        {"mds_lightning", "searched", "workplace"},
    ),
    "server": (
        {"search/postgresql", "search/slurm", "tracking/test_wandb_publication.py"},
        {"browser", "postgresql", "slurm", "store"},
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set the marks of `MARKS`."""
    for item in items:
        path = item.path.relative_to(Path(__file__).parent)
        places = {path.as_posix(), *(parent.as_posix() for parent in path.parents)}
        for mark, (marked, fixtures) in MARKS.items():
            if places & marked or fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(mark)


@pytest.fixture(name="save_map")
def _save_map() -> Callable[..., ImportanceMap]:
    return save_map


@pytest.fixture(scope="session")
def make_study() -> Callable[..., StudyMaker]:
    """`make_study(folder)` gives a `StudyMaker`; its `write()` the study's directory."""
    return StudyMaker


@pytest.fixture(scope="session")
def made_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two variants with external patients, clinical columns and maps. Do not write into it."""
    return StudyMaker(tmp_path_factory.mktemp("made")).write(("resnet18", "squeezenet1_1"))


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    """A running `ObjectStore`, whose environment is that of the test."""
    made = ObjectStore(f"bucket-{abs(hash(request.node.nodeid))}")
    for key, value in made.environment.items():
        monkeypatch.setenv(key, value)
    made.filesystem().mkdir(made.bucket)
    made.clear()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    # One thread a process: the tests run side by side, and sums of floats keep their order.
    # A test that used W&B in this process leaves the address of its service behind: a user's shell has none.
    inherited = {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"}
    return inherited | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def mds_lightning(environment) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`mds_lightning("train", ..., cwd=folder)` runs the command and returns what it wrote.

    The process is forked (see `tests/forking.py`); `studies/test_train.py` starts the installed command.
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
