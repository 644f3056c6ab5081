"""Lock of a run directory: one process at a time trains in it."""

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

from mds_lightning.cohort.explained_error import ExplainedError
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.worker import Worker

log = logging.getLogger(__name__)

#: Name of the lock file in the run directory; it exists while a process trains, or after it was killed.
_NAME = "running.json"
#: Errors of file systems without locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


class BusyRunError(ValueError):
    """Another process trains in the run directory."""


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock.

    Attributes:
        worker: The process.
        slurm_job: Its SLURM job; empty outside of SLURM.
        since: Time at which it took the lock (ISO 8601, UTC).
    """

    worker: Worker
    slurm_job: str
    since: str

    @classmethod
    def here(cls) -> "Holder":
        """This process, now."""
        return cls(Worker.here(), _slurm_job(), datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def read(cls, text: str) -> "Holder | None":
        """The holder that wrote `text`; None if it was killed before the text was complete."""
        try:
            record = json.loads(text)
            return cls(Worker.of(record["worker"]), record["slurm_job"], record["since"])
        except (ValueError, KeyError, TypeError):
            return None

    def may_live(self) -> bool:
        """Whether the holder may be running on another machine although the file is not locked.

        On some shared file systems, locks are visible on one machine only. SLURM knows whether the job runs.
        """
        if self.worker.is_gone() or self.slurm_job in ("", _slurm_job()):
            return False
        return _is_running(self.slurm_job)

    def __str__(self) -> str:
        """`node7, process 123, SLURM job 45, since ...`."""
        job = f", SLURM job {self.slurm_job}" if self.slurm_job else ""
        return f"{self.worker}{job}, since {self.since}"


@contextmanager
def lock_run(directory: Path) -> Iterator[None]:
    """Lock a run directory while the block runs.

    The lock is a POSIX record lock, which NFS, Lustre and GPFS share between machines; it is released when
    the process ends for any reason. It is not a `flock`, as `filelock` uses it: processes that load images
    inherit such a lock and would keep it for seconds after their parent was killed.

    In a distributed job, only the process of rank 0 takes the lock.

    Args:
        directory: The run directory; created if missing.

    Raises:
        BusyRunError: Another process holds the lock; the message names it.
        ExplainedError: The file of the lock is a link.
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
        # Removed while locked: a process that opened this file before checks that it still exists.
        path.unlink(missing_ok=True)
        os.close(descriptor)


@rank_zero_only
def clear_failed_start(run: RunDirectory) -> None:
    """Delete the skip list and the learning curves of a start that ended before its first epoch.

    Args:
        run: A run that is locked and has not begun (`RunDirectory.is_begun`).
    """
    run.skipped.unlink(missing_ok=True)
    run.metrics.unlink(missing_ok=True)


def is_locked(directory: Path) -> bool:
    """Whether another process trains in a run directory.

    Do not call it in a process that holds the lock: POSIX releases it.

    Args:
        directory: The run directory, which need not exist.
    """
    path = directory / _NAME
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _lock(descriptor, path)
        found = _read(descriptor)
        return found is not None and found.may_live()
    except BusyRunError:
        return True
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = _open(path)
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


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        # The file is emptied, and a study may come from somebody else.
        raise ExplainedError(
            f"{path} is a link, and nothing is written through a link in a study", "remove it"
        ) from None


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise _busy(_read(descriptor), path) from None
        if error.errno not in _NO_LOCKS:
            raise
        log.warning(
            "%s: this file system has no locks; make sure that no other process trains there",
            path,
        )
        found = _read(descriptor)
        if found is not None and found.worker != Worker.here() and not found.worker.is_gone():
            raise _busy(found, path) from None


def _refuse_living(found: Holder | None, path: Path) -> None:
    if found is not None and found.may_live():
        raise _busy(found, path)
    if found is not None:
        log.info("%s: taken over from %s, which was killed", path.parent, found)


def _busy(found: Holder | None, path: Path) -> BusyRunError:
    who = "another process" if found is None else str(found)
    return BusyRunError(
        f"{path.parent} is being trained by {who}: wait for it or stop it; the same command then "
        "continues the run"
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
    """Whether SLURM runs the job; False if SLURM does not know it or is not installed."""
    command = ["squeue", "--noheader", f"--jobs={job}", "--states=RUNNING,COMPLETING", "--format=%i"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(answer.stdout.strip())
