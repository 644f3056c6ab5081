"""What a process of `forking.fork` does: run a Python program as `python PROGRAM ARGUMENTS` would."""

import atexit
import multiprocessing
import os
import runpy
import signal
import sys
from pathlib import Path

import torch


def run(
    program: str, arguments: list[str], home: str, environment: dict[str, str], stdout: str, stderr: str
) -> None:
    # The server's own streams may be those of a test that has ended.
    for descriptor, path in ((1, stdout), (2, stderr)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    encoding = environment.get("PYTHONIOENCODING")
    sys.stdout, sys.stderr = (
        os.fdopen(each, "w", buffering=1, encoding=encoding, closefd=False) for each in (1, 2)
    )
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(int(environment.get("OMP_NUM_THREADS", torch.get_num_threads())))
    # A shell starts background jobs, and with them the server, with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The default, as in a program that is started from a shell; here it would be the server's own.
    multiprocessing.set_start_method(multiprocessing.get_all_start_methods()[0], force=True)
    os.chdir(home)
    sys.argv = [program, *arguments]
    sys.path.insert(0, str(Path(program).parent))
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit:
        raise
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    finally:
        # A forked process ends without them.
        atexit._run_exitfuncs()


run(*ARGUMENTS)  # type: ignore[name-defined]  # noqa: F821
