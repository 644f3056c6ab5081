"""Heartbeats of running trials, by which other machines detect that a worker has stopped."""

import logging
from collections.abc import Sequence
from threading import Event, Thread
from typing import TypeGuard

from optuna.storages import BaseStorage
from optuna.storages._heartbeat import BaseHeartbeat, is_heartbeat_enabled

log = logging.getLogger(__name__)


def record_heartbeat(storage: BaseStorage, trial_id: int) -> None:
    """Write one heartbeat, if the storage supports it (a journal file and memory do not)."""
    if _has_heartbeat(storage):
        storage.record_heartbeat(trial_id)


def silent_trials(storage: BaseStorage, study_id: int) -> set[int]:
    """Ids of running trials whose last heartbeat is older than the grace period."""
    return set(storage._get_stale_trial_ids(study_id)) if _has_heartbeat(storage) else set()


class Heartbeat:
    """Context manager in which a thread writes heartbeats for `trial_ids`.

    Optuna's own thread (storages/_heartbeat.py) ends silently at the first failing write, after which the
    trial is considered dead; this one logs a warning and continues.
    """

    def __init__(self, storage: BaseStorage, trial_ids: Sequence[int]) -> None:
        self._storage = storage
        self._trial_ids = trial_ids
        self._stop = Event()
        self._thread: Thread | None = None

    def __enter__(self) -> None:
        if _has_heartbeat(self._storage):
            self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        assert _has_heartbeat(self._storage)
        while not self._stop.wait(self._storage.get_heartbeat_interval()):
            for trial_id in self._trial_ids:
                try:
                    self._storage.record_heartbeat(trial_id)
                except Exception as error:  # the database may be unavailable for a while; the job continues
                    log.warning("no heartbeat could be written: %s", error)


def _has_heartbeat(storage: BaseStorage) -> TypeGuard[BaseHeartbeat]:
    # A study wraps its database in a cache, which passes heartbeats on.
    return is_heartbeat_enabled(storage)
