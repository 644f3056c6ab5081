"""The outcome of a job as a state of an Optuna trial."""

import math
from dataclasses import dataclass

from hydra.core.utils import JobReturn, JobStatus
from optuna import TrialPruned
from optuna.trial import TrialState

#: Longer messages are cut; the full traceback is in the log of the job.
_LONGEST_REASON = 2000


@dataclass(frozen=True)
class Outcome:
    """State of an ended trial.

    Attributes:
        state: COMPLETE, PRUNED or FAIL.
        values: One value per objective if COMPLETE.
        error: Why it failed.
    """

    state: TrialState
    values: list[float] | None = None
    error: Exception | None = None

    @property
    def reason(self) -> str:
        """The error as text for a trial attribute."""
        return f"{type(self.error).__name__}: {self.error}"[:_LONGEST_REASON]


def read_outcome(job: JobReturn, n_objectives: int) -> Outcome:
    """COMPLETE for numbers, PRUNED for `optuna.TrialPruned`, FAIL for everything else (None and NaN too)."""
    if job.status is not JobStatus.COMPLETED:
        error = job._return_value
        if isinstance(error, TrialPruned):
            return Outcome(TrialState.PRUNED)
        assert isinstance(error, Exception), f"a job that did not end returned {error!r}"
        return Outcome(TrialState.FAIL, error=error)
    returned = job.return_value
    try:
        values = [float(value) for value in ([returned] if n_objectives == 1 else returned)]
    except (TypeError, ValueError):
        return _refused(f"the job returned {returned!r} instead of {_expected(n_objectives)}")
    if len(values) != n_objectives:
        return _refused(f"the job returned {len(values)} values instead of {_expected(n_objectives)}")
    if any(math.isnan(value) for value in values):
        return _refused(f"the job returned {returned!r}: an undefined value cannot be compared")
    return Outcome(TrialState.COMPLETE, values)


def _expected(n_objectives: int) -> str:
    return "a number" if n_objectives == 1 else f"{n_objectives} numbers"


def _refused(message: str) -> Outcome:
    return Outcome(TrialState.FAIL, error=ValueError(message))
