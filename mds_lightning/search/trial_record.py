"""What a stored trial says about itself beside its parameters; others may write to the storage of a study."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial

from mds_lightning.studies.worker import Worker

#: Optuna's own system attributes (storages/_callbacks.py, study.enqueue_trial), which its tools show.
ORIGIN, HISTORY, FIXED = "failed_trial", "retry_history", "fixed_params"
#: Further system attribute: how often workers of the point were killed.
KILLS = "kills"
#: User attributes of a trial.
WORKER, REASON, DIRECTORY = "worker", "reason", "directory"


class ForeignTrialError(ValueError):
    """A stored trial was not written by this program, or belongs to another search."""


def origin(trial: FrozenTrial) -> int:
    """Number of the first trial of this trial's point."""
    return _number(trial, trial.system_attrs.get(ORIGIN, trial.number), ORIGIN)


def history(trial: FrozenTrial) -> tuple[int, ...]:
    """Numbers of the earlier trials of this trial's point."""
    stored = trial.system_attrs.get(HISTORY, ())
    if not isinstance(stored, Sequence) or isinstance(stored, str):
        raise _foreign(trial, HISTORY, stored)
    return tuple(_number(trial, number, HISTORY) for number in stored)


def kills(trial: FrozenTrial) -> int:
    """How often workers of the point were killed."""
    return _number(trial, trial.system_attrs.get(KILLS, 0), KILLS)


def fixed_params(trial: FrozenTrial) -> Mapping[str, Any]:
    """Parameters that were determined before the trial started; empty if none were."""
    stored = trial.system_attrs.get(FIXED, {})
    if not isinstance(stored, Mapping):
        raise _foreign(trial, FIXED, stored)
    return stored


def worker_of(trial: FrozenTrial) -> Worker | None:
    """The worker of the trial; None if it was killed before it was recorded."""
    record = trial.user_attrs.get(WORKER)
    if record is None:
        return None
    kinds = {"host": str, "boot": str, "pid": int, "started": str}
    if not (
        isinstance(record, Mapping)
        and record.keys() == kinds.keys()
        and all(isinstance(record[key], kind) for key, kind in kinds.items())
        and 0 < record["pid"] < 1 << 31
    ):
        raise _foreign(trial, WORKER, record)
    return Worker.of(dict(record))


def check_record(trial: FrozenTrial) -> None:
    """Raise unless every attribute of a trial can be read.

    Raises:
        ForeignTrialError: With the attribute and its value.
    """
    for read in (origin, history, kills, fixed_params, worker_of):
        read(trial)
    directory = trial.user_attrs.get(DIRECTORY)
    if directory is not None and not isinstance(directory, str):
        raise _foreign(trial, DIRECTORY, directory)


def _number(trial: FrozenTrial, value: object, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _foreign(trial, key, value)
    return value


def _foreign(trial: FrozenTrial, key: str, value: object) -> ForeignTrialError:
    return ForeignTrialError(
        f"the attribute {key} of trial {trial.number} is {str(value)[:200]!r}, which this program never has"
    )
