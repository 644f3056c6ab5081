"""Only trials of the declared search space are run: everybody who can write to a storage can add others.

The parameters of a trial become overrides of its job, so that a foreign key could name any class to be built.
"""

import logging

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.space import Space
from mds_lightning.search.trial_record import REASON, ForeignTrialError, check_record, fixed_params

log = logging.getLogger(__name__)


def screen_trials(study: Study, space: Space, is_extended: bool = False) -> None:
    """End queued trials that are not of the search space as FAIL, and refuse a study with others.

    Args:
        study: The study, whose lock is held.
        space: The declared search space.
        is_extended: Whether `hydra.sweeper.custom_search_space` adds keys: other keys are then ignored.

    Raises:
        ForeignTrialError: A running or finished trial is not of the search space.
    """
    for trial in study.get_trials(deepcopy=False):
        fault = None if trial.state is TrialState.FAIL else find_fault(trial, space, is_extended)
        if fault is None:
            continue
        if trial.state is not TrialState.WAITING:
            raise ForeignTrialError(
                f"trial {trial.number} of the study '{study.study_name}' is not of this search: {fault}. "
                "Who can write to the storage may have added it. Give the study another name (study=NAME)."
            )
        log.warning("queued trial %d is not run, because it is not of this search: %s", trial.number, fault)
        study._storage.set_trial_user_attr(trial._trial_id, REASON, f"not of this search: {fault}")
        study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)


def find_fault(trial: FrozenTrial, space: Space, is_extended: bool = False) -> str | None:
    """Why a stored trial is not of a search space; None if it is."""
    try:
        check_record(trial)
        for params in (trial.params, fixed_params(trial)):
            for name, value in params.items():
                if name in space.distributions or not is_extended:
                    space.check(name, value)
    except ValueError as error:
        return str(error)
    for name, distribution in trial.distributions.items():
        if name in space.distributions and distribution != space.distributions[name]:
            return f"the range of {name} is {distribution}, not {space.distributions[name]}"
    return None
