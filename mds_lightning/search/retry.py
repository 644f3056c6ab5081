"""Ends trials whose worker has stopped as FAIL, and queues their points again as new trials."""

import logging
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.heartbeat import silent_trials
from mds_lightning.search.trial_record import (
    FIXED,
    HISTORY,
    KILLS,
    ORIGIN,
    REASON,
    fixed_params,
    history,
    kills,
    origin,
    worker_of,
)
from mds_lightning.studies.trial_names import name_trial
from mds_lightning.studies.worker import Worker

log = logging.getLogger(__name__)


def variant(trial: FrozenTrial, fold: int | None = None) -> str:
    """Directory of a trial of a search: a retry continues in the directory of the first trial.

    Args:
        trial: The trial.
        fold: The fold whose nested search it belongs to; None: all folds.
    """
    return name_trial(origin(trial), fold)


def point(trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> int:
    """Number of points that were proposed before this one; retries do not count."""
    return sum(each.number < origin(trial) for each in trials if ORIGIN not in each.system_attrs)


def dead_trials(study: Study) -> list[FrozenTrial]:
    """Running trials whose worker has certainly stopped, or sent no heartbeat for the grace period.

    Call it with the lock of the study held: the worker of a running trial without a record was then killed
    while it held the lock.
    """
    silent = silent_trials(study._storage, study._study_id)
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [trial for trial in running if trial._trial_id in silent or _is_dead(worker_of(trial))]


def retire(
    study: Study, trial: FrozenTrial, reason: str, requeue: bool, max_kills: int | None = None
) -> None:
    """End a trial as FAIL with `reason` and queue its point again.

    Args:
        study: The study, whose lock is held.
        trial: A running trial.
        reason: Stored on the trial.
        requeue: False for a grid, which finds free cells without a queue.
        max_kills: If the trial was killed: number of kills after which its point is not tried again. None: it
            was released.
    """
    killed = kills(trial) + (max_kills is not None)
    if max_kills is not None and killed > max_kills:
        requeue = False
        reason = f"{reason}; not tried again after {killed} kills: does it need more memory or time?"
        log.warning("trial %d: %s", trial.number, reason)
    # The successor first: after a kill between the two steps, the next call only ends the trial.
    if requeue and not _has_successor(study, trial):
        study.add_trial(_successor(trial, killed))
    try:
        study._storage.set_trial_user_attr(trial._trial_id, REASON, reason)
        study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
    except UpdateFinishedTrialError:
        return


def retire_dead(study: Study, requeue: bool, max_kills: int) -> list[FrozenTrial]:
    """Retire every dead trial; returns them."""
    dead = dead_trials(study)
    for trial in dead:
        log.info("trial %d: its worker (%s) has stopped", trial.number, worker_of(trial))
        retire(study, trial, f"killed: {worker_of(trial)}", requeue, max_kills)
    return dead


def _is_dead(worker: Worker | None) -> bool:
    return worker is None or worker.is_gone()


def _has_successor(study: Study, trial: FrozenTrial) -> bool:
    others = study.get_trials(deepcopy=False)
    return any(trial.number in history(other) for other in others)


def _successor(trial: FrozenTrial, killed: int) -> FrozenTrial:
    params = {**fixed_params(trial), **trial.params}
    attributes: dict[str, Any] = {
        ORIGIN: origin(trial),
        HISTORY: [*history(trial), trial.number],
        KILLS: killed,
    }
    if params:
        attributes[FIXED] = params
    return optuna.create_trial(state=TrialState.WAITING, system_attrs=attributes)
