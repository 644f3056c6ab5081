"""A study of two folds, made by all verbs in one process whose network calls are recorded."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..studies.conftest import SMALL
from .trap import Trap

_STRACE = ("strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o")

#: Settings of the study.
TRAINED = (*SMALL, "trainer.max_epochs=1", "augmentation.further=[{GaussNoise: {p: 0.1}}]")


@dataclass(frozen=True)
class Made:
    """A folder with a study, and what was called while it was made.

    Attributes:
        folder: Holds `runs/small` and the simulated cohort.
        calls: To the trap, which is the proxy of all web requests.
        trace: System calls on the network; None without strace.
    """

    folder: Path
    calls: list[bytes]
    trace: str | None


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Made:
    """The verbs train (logger=wandb), evaluate, report, explain and check. Do not write into its folder."""
    folder, trap = tmp_path_factory.mktemp("hostile"), Trap()
    study = "study=runs/small"
    verbs = [
        ["train", "-m", "study=small", *TRAINED, "logger=wandb"],
        ["evaluate", study, "n_resamples=100"],
        ["report", study, "n_resamples=100"],
        ["explain", study, "images=1", "explain.method=layer_gradcam"],
        ["test", study, "maps=3"],
        ["study", "show", study],
        ["check", *(word for word in SMALL if word.startswith(("cohort.", "folds.")))],
    ]
    (folder / "verbs").write_text("".join(f"{json.dumps(words)}\n" for words in verbs))
    program = [sys.executable, str(Path(__file__).with_name("every_verb.py")), "verbs"]
    log = folder / "trace"
    traced = shutil.which("strace") is not None and _works([*_STRACE, str(log), "true"])
    command = [*_STRACE, str(log), *program] if traced else program
    given = environment | trap.environment | {"WANDB_SILENT": "true"}
    done = subprocess.run(
        command, cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    trap.close()
    return Made(folder, trap.calls, log.read_text() if traced else None)


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def trap() -> Iterator[Trap]:
    one = Trap()
    yield one
    one.close()


@dataclass(frozen=True)
class Attack:
    """A copied study to be changed, and verbs that must not do what it says.

    Attributes:
        folder: Its folder; the study is `runs/small` in it.
        marker: A file that hostile content tries to write.
    """

    folder: Path
    marker: Path
    trap: Trap
    run: Callable[..., subprocess.CompletedProcess[str]]

    @property
    def study(self) -> Path:
        return self.folder / "runs/small"

    @property
    def runs(self) -> list[Path]:
        return sorted(self.study.glob("*/fold-*"))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a verb: it succeeds, or refuses in one message with exit code 2, and follows nothing."""
        done = self.run(*words, cwd=self.folder, **self.trap.environment)
        assert done.returncode in (0, 2), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode == 2:
            told = [
                line for line in done.stderr.splitlines() if line.startswith(f"mds-lightning {words[0]}: ")
            ]
            assert len(told) == 1 or words[0] == "check", done.stderr
        assert not self.marker.exists(), words
        assert self.trap.calls == [], words
        return done

    def every_verb(self) -> dict[str, subprocess.CompletedProcess[str]]:
        """Every verb that reads a finished study."""
        study = "study=runs/small"
        commands = {
            "test": ("test", study, "maps=4"),
            "explain": ("explain", study, "images=2", "explain.method=integrated_gradients"),
            "evaluate": ("evaluate", study, "n_resamples=100"),
            "report": ("report", study, "n_resamples=100"),
            "show": ("study", "show", study),
            "clean": ("study", "clean", study),
            "train": ("train", "-m", "study=small", *TRAINED),
        }
        return {name: self.command(*words) for name, words in commands.items()}


@pytest.fixture
def attack(made: Made, tmp_path: Path, trap: Trap, mds_lightning) -> Attack:
    """A copy of the study of `made`."""
    folder = tmp_path / "foreign"
    shutil.copytree(made.folder, folder, symlinks=True)
    return Attack(folder, tmp_path / "marker", trap, mds_lightning)
