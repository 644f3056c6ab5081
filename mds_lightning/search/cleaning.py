"""Ends running trials of stopped workers in storages without heartbeats."""

import logging
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.identity import is_search
from mds_lightning.search.retry import retire, retire_dead
from mds_lightning.search.store import Store
from mds_lightning.search.trial_record import worker_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cleaning:
    """Changes made to one study.

    Attributes:
        study: Its name.
        retired: Numbers of the trials that were ended; the points of a search are queued again.
        left: Number and worker of the trials that may still be running.
    """

    study: str
    retired: tuple[int, ...]
    left: dict[int, str]


def clean_study(store: Store, name: str, everyone: bool = False, max_kills: int = 10) -> Cleaning:
    """End the running trials of a study whose workers have certainly stopped.

    A journal file has no heartbeats, so it is never certain that a worker on another machine has stopped.

    Args:
        store: Storage of the study.
        name: Its name in the storage.
        everyone: End every running trial. Use it only if no worker is running: a running one stops with an
            error at its next report.
        max_kills: See `StudySweeperConf`.
    """
    with store.lock():
        study = optuna.load_study(study_name=name, storage=store.storage)
        requeue = is_search(study)
        retired = retire_dead(study, requeue, max_kills)
        if everyone:
            for trial in _running(study):
                retire(study, trial, f"ended by study clean: {worker_of(trial)}", requeue, max_kills)
                retired.append(trial)
        left = {trial.number: str(worker_of(trial)) for trial in _running(study)}
    return Cleaning(name, tuple(trial.number for trial in retired), left)


def _running(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
