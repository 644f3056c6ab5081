"""Storage of a study's trials: a SQLite file, a PostgreSQL server or a journal file."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.search.lock import Lock, file_lock, postgresql_lock, shared_file_lock

_SQLITE, _POSTGRESQL, _JOURNAL = "sqlite:///", "postgresql+psycopg2://", "journal://"


@dataclass(frozen=True)
class Store:
    """An opened storage.

    Attributes:
        storage: Optuna's storage.
        lock: Held by the one worker that determines what is run next.
        shown: The URL without its password.
    """

    storage: BaseStorage
    lock: Lock
    shown: str


def open_store(
    url: str | None, study_name: str, heartbeat: int = 60, grace: int = 180, create: bool = True
) -> Store:
    """Open the storage at `url`, and create it if it is new; several workers may do so at the same time.

    Args:
        url: `sqlite:///FILE`, `postgresql+psycopg2://USER@HOST/DATABASE`, `journal:///SHARED/FILE`,
            or None for the memory of this process.
        study_name: Name of the study; on PostgreSQL each study has its own lock.
        heartbeat: Seconds between heartbeats of a running trial (databases only).
        grace: Seconds without a heartbeat after which a running trial is given to another worker.
        create: Whether to create the tables of a new storage; False never waits for other workers.

    Raises:
        ValueError: The URL has another scheme, or its server cannot be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if url is None:
        return Store(InMemoryStorage(), nullcontext, "memory")
    if url.startswith(_JOURNAL):
        path = Path(url.removeprefix(_JOURNAL))
        path.parent.mkdir(parents=True, exist_ok=True)
        return Store(JournalStorage(JournalFileBackend(str(path))), shared_file_lock(path), url)
    shown = _without_password(url)
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE))
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = file_lock(path)
        engine: dict[str, Any] = {"connect_args": {"timeout": 60}}
    elif url.startswith(_POSTGRESQL):
        lock = _postgresql_lock(url, study_name, shown)
        engine = {"pool_pre_ping": True}
    else:
        raise ValueError(
            f"hydra.sweeper.storage={shown}: use {_SQLITE}FILE, "
            f"{_POSTGRESQL}USER@HOST/DATABASE or {_JOURNAL}/SHARED/FILE "
            "(the last if workers share a file system but no database)"
        )
    with _readable_errors(shown), lock() if create else nullcontext(), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if create and url.startswith(_SQLITE):
            _create_file(url)
        storage = RDBStorage(
            url,
            engine_kwargs=engine,
            heartbeat_interval=heartbeat,
            grace_period=grace,
            skip_table_creation=not create,
            skip_compatibility_check=not create,
        )
    return Store(storage, lock, shown)


def _create_file(url: str) -> None:
    """Create the SQLite file with all tables, under another name first.

    A process that is killed between a table and its unique index would leave a file in which two studies may
    have the same name: Optuna (5.0) adds missing tables to a file, but no indices.
    """
    database = make_url(url).database
    if database in (None, "", ":memory:") or Path(str(database)).exists():
        return
    with write_atomically(Path(str(database))) as temporary:
        RDBStorage(f"{_SQLITE}{temporary}").engine.dispose()


def require_store(url: str) -> None:
    """Raise if `url` is a file that does not exist, because reading a study must not create one.

    Raises:
        ValueError: The message says which URL to give instead.
    """
    for scheme in (_SQLITE, _JOURNAL):
        path = Path(url.removeprefix(scheme))
        if url.startswith(scheme) and not path.is_file():
            raise ValueError(
                f"{path}: there is no study of a sweep, which train -m writes. Give "
                f"storage={_POSTGRESQL}USER@HOST/DATABASE or "
                f"storage={_JOURNAL}/SHARED/FILE if the search was run with that storage."
            )


def _postgresql_lock(url: str, study_name: str, shown: str) -> Lock:
    try:
        return postgresql_lock(url, study_name)
    except ModuleNotFoundError as error:
        raise ValueError(f"{shown} needs a driver: pip install 'mds-lightning[hpc]'") from error


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url


@contextmanager
def _readable_errors(shown: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise ValueError(
            f"{shown} cannot be opened: {reason}. Check that the server runs, and the user, database "
            "and path; a password belongs in ~/.pgpass or PGPASSWORD."
        ) from error
