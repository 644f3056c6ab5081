"""Locks of a study's storage, held by the one worker that determines what is run next."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from optuna.storages.journal import JournalFileSymlinkLock
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

Lock = Callable[[], AbstractContextManager[None]]

log = logging.getLogger(__name__)

#: Seconds of waiting after which a message is logged.
_PATIENCE = 10
#: Seconds after which a lock file that is not renewed is considered to be of a killed worker.
_ABANDONED = 30


def file_lock(path: Path) -> Lock:
    """A lock on a local disk; the operating system releases it when its process ends."""
    lock = FileLock(f"{path}.lock")

    @contextmanager
    def hold() -> Iterator[None]:
        while True:
            try:
                lock.acquire(timeout=_PATIENCE)
                break
            except Timeout:
                log.info("waiting for another process that holds %s", lock.lock_file)
        try:
            yield
        finally:
            lock.release()

    return hold


def shared_file_lock(path: Path) -> Lock:
    """A lock on a shared file system (NFSv2 or later), taken over 30 s after its process was killed."""
    target = Path(f"{path}.claim")

    @contextmanager
    def hold() -> Iterator[None]:
        lock = JournalFileSymlinkLock(str(target), grace_period=_ABANDONED)
        target.touch()  # before the lock as well: its age is read through the link
        lock.acquire()
        try:
            target.touch()
            yield
        finally:
            lock.release()

    return hold


def postgresql_lock(url: str, study_name: str) -> Lock:
    """An advisory lock of the server; it ends with its connection, and so with its process."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    digest = hashlib.sha256(f"mds-lightning {study_name}".encode()).digest()
    key = {"key": int.from_bytes(digest[:8], signed=True)}

    @contextmanager
    def hold() -> Iterator[None]:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), key)
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    return hold
