"""End running trials whose workers are gone, where no sign of life tells that they are."""

import logging
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.identity import is_search
from mds_lightning.search.retry import retire, retire_dead, worker_of
from mds_lightning.search.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cleaning:
    """What was done to one study.

    Attributes:
        study: Its name.
        retired: Numbers of the trials that were ended; the points of a search are queued again.
        left: Number and worker of the trials that still run, as far as one can tell from here.
    """

    study: str
    retired: tuple[int, ...]
    left: dict[int, str]


def clean_study(store: Store, name: str, everyone: bool = False, max_kills: int = 10) -> Cleaning:
    """End the running trials of a study whose workers are surely gone.

    A journal file has no signs of life, so a worker on another machine is never surely gone.

    Args:
        store: Where the study is.
        name: Its name in the storage.
        everyone: End every running trial. Right only if you know that no worker is alive; one that is will
            find its trial gone, and stops it with an error at its next report.
        max_kills: See `StudySweeperConf`.
    """
    with store.lock():
        study = optuna.load_study(study_name=name, storage=store.storage)
        requeue = is_search(study)
        retired = retire_dead(study, requeue, max_kills)
        if everyone:
            for trial in _running(study):
                retire(study, trial, f"cleaned away: {worker_of(trial)}", requeue, max_kills)
                retired.append(trial)
        left = {trial.number: str(worker_of(trial)) for trial in _running(study)}
    return Cleaning(name, tuple(trial.number for trial in retired), left)


def _running(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
