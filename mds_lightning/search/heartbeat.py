"""Signs of life of running trials, so that another machine knows when their worker died."""

import logging
from collections.abc import Sequence
from threading import Event, Thread
from typing import TypeGuard

from optuna.storages import BaseStorage
from optuna.storages._heartbeat import BaseHeartbeat, is_heartbeat_enabled

log = logging.getLogger(__name__)


def record_heartbeat(storage: BaseStorage, trial_id: int) -> None:
    """Write one sign of life; a journal file and memory have none."""
    if _has_heartbeat(storage):
        storage.record_heartbeat(trial_id)


def silent_trials(storage: BaseStorage, study_id: int) -> set[int]:
    """Ids of running trials whose signs of life stopped longer ago than the grace period."""
    return set(storage._get_stale_trial_ids(study_id)) if _has_heartbeat(storage) else set()


class Heartbeat:
    """While entered, a thread writes signs of life for `trial_ids`.

    Optuna's own thread (storages/_heartbeat.py) dies silently with the first failing write, after which a
    living trial is taken for dead; this one says so and goes on.
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
                except Exception as error:  # the database may be away for a while; the job goes on
                    log.warning("no sign of life could be written: %s", error)


def _has_heartbeat(storage: BaseStorage) -> TypeGuard[BaseHeartbeat]:
    # A study wraps its database in a cache, which passes heartbeats on.
    return is_heartbeat_enabled(storage)
