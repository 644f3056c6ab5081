"""Processes of Python programs that start without importing anything.

A command imports for seconds before its first step, and the tests run dozens of them. `fork` runs a program
in a process of its own that is forked from a server which has imported everything; otherwise it is the same
as `subprocess.Popen([sys.executable, program, ...])`.
"""

import multiprocessing
import os
import runpy
import time
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["mds_lightning.commands.train", "mds_lightning.search.sweeper", "optuna.pruners", "optuna.terminator"]
)


def fork(
    program: Path,
    *arguments: str,
    home: Path,
    stdout: Path,
    stderr: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> BaseProcess:
    """Start `python program arguments` in the folder `home`; its output is appended to files."""
    given = (str(program), list(arguments), str(home), dict(environment), str(stdout), str(stderr or stdout))
    process = _CONTEXT.Process(
        target=runpy.run_path, args=(str(Path(__file__).with_name("forked_program.py")), {"ARGUMENTS": given})
    )
    process.start()
    return process


def wait_until(condition: Callable[[], bool], process: BaseProcess, log: Path) -> None:
    """Wait for something that `process` does; fail with its output in `log` if it ends without."""
    while not condition():
        assert process.is_alive() or condition(), log.read_text()
        time.sleep(0.01)


def wait_for_text(text: str, process: BaseProcess, log: Path) -> None:
    """Wait until `process` has written `text` to `log`."""
    wait_until(lambda: log.exists() and text in log.read_text(), process, log)
