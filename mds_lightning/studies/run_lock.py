"""One process at a time trains in a run directory, and the next one is told which."""

import errno
import fcntl
import json
import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from lightning.pytorch.utilities import rank_zero_only

from mds_lightning.studies.worker import Worker

log = logging.getLogger(__name__)

#: Name of the lock in the run directory; it is there only while the run is being worked on (or was killed).
_NAME = "running.json"
#: What a file system answers that has no locks.
_UNABLE = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


class BusyRunError(ValueError):
    """Another process works in the run directory."""


@dataclass(frozen=True)
class Holder:
    """Who works in a run directory.

    Attributes:
        worker: The process.
        slurm_job: Its SLURM job, empty outside one.
        since: When it began.
    """

    worker: Worker
    slurm_job: str
    since: str

    @classmethod
    def here(cls) -> "Holder":
        """This process, from now on."""
        return cls(Worker.here(), _slurm_job(), datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def read(cls, text: str) -> "Holder | None":
        """Who wrote `text`; None if it is empty or half written, by a process that was killed."""
        try:
            record = json.loads(text)
            return cls(Worker.of(record["worker"]), record["slurm_job"], record["since"])
        except (ValueError, KeyError, TypeError):
            return None

    def may_live(self) -> bool:
        """Whether a holder that the lock itself does not show may be at work on another machine.

        Some shared file systems keep locks within one machine. SLURM then knows whether its job still runs.
        """
        if self.worker.is_gone() or self.slurm_job in ("", _slurm_job()):
            return False
        return _is_running(self.slurm_job)

    def __str__(self) -> str:
        """`node7, process 123, SLURM job 45, since ...`."""
        job = f", SLURM job {self.slurm_job}" if self.slurm_job else ""
        return f"{self.worker}{job}, since {self.since}"


@contextmanager
def working_in(directory: Path) -> Iterator[None]:
    """Hold a run directory for as long as the block runs.

    The lock is the system's own (POSIX record locks, which NFS, Lustre and GPFS hand on to all machines): it
    ends with the process, however that ends. It is not a `flock`, as `filelock` takes it, because processes
    that load images inherit that one and would hold it for seconds after their parent was killed.

    Of a distributed job the first process alone holds the directory, for all of them.

    Raises:
        BusyRunError: Another process holds it; the message says which.
    """
    if getattr(rank_zero_only, "rank", 0) != 0:
        yield
        return
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / _NAME
    descriptor = _acquire(path)
    try:
        yield
    finally:
        # Removed while it is held: whoever waits for this file finds that it is no longer the one there.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor, path)
            if _is_there(descriptor, path):
                _refuse_living(_read(descriptor), path)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(asdict(Holder.here())).encode(), 0)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise _busy(_read(descriptor), path) from None
        if error.errno not in _UNABLE:
            raise
        log.warning("%s: this file system has no locks; make sure that no other process trains there", path)
        found = _read(descriptor)
        if found is not None and found.worker != Worker.here() and not found.worker.is_gone():
            raise _busy(found, path) from None


def _refuse_living(found: Holder | None, path: Path) -> None:
    if found is not None and found.may_live():
        raise _busy(found, path)
    if found is not None:
        log.info("%s: taken over from %s, which ended without leaving", path.parent, found)


def _busy(found: Holder | None, path: Path) -> BusyRunError:
    who = "another process" if found is None else str(found)
    return BusyRunError(
        f"{path.parent} is being worked on by {who}: wait for it or stop it; the same command then goes on "
        "from there"
    )


def _read(descriptor: int) -> Holder | None:
    return Holder.read(os.pread(descriptor, 1 << 16, 0).decode(errors="replace"))


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _slurm_job() -> str:
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array else os.environ.get("SLURM_JOB_ID", "")


def _is_running(job: str) -> bool:
    """Whether SLURM runs the job; False where it knows of none, or there is no SLURM to ask."""
    command = ["squeue", "--noheader", f"--jobs={job}", "--states=RUNNING,COMPLETING", "--format=%i"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(answer.stdout.strip())
