"""The trial of a job: reports the values of folds, and stops early when it is pruned."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import optuna
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from optuna import TrialPruned
from optuna.exceptions import UpdateFinishedTrialError
from optuna.pruners import BasePruner, NopPruner
from optuna.study import Study

from mds_lightning.search.permitted_targets import PRUNERS, build

log = logging.getLogger(__name__)


class TrialLostError(RuntimeError):
    """The trial was given to another worker because this one sent no heartbeat."""


class JobTrial:
    """One trial of a search, inside its job.

    Attributes:
        number: The trial's number in the study.
    """

    def __init__(self, study: Study, trial_id: int) -> None:
        self._trial = optuna.Trial(study, trial_id)
        self.number = self._trial.number

    def report(self, value: float, step: int) -> None:
        """Store the value of one fold, or of another step that all trials share.

        Raises:
            TrialLostError: The trial no longer belongs to this job.
        """
        try:
            self._trial.report(value, step)
        except UpdateFinishedTrialError as error:
            raise TrialLostError(
                f"trial {self.number} was given to another worker while this job ran: no heartbeat was "
                "written within hydra.sweeper.grace seconds"
            ) from error

    def should_prune(self) -> bool:
        """Whether the pruner of the search considers the values so far worse than those of the best trial."""
        return self._trial.should_prune()

    def report_or_prune(self, value: float, step: int, remaining: int) -> None:
        """Report a value, and end the job if the trial is pruned with `remaining` steps to go.

        Without remaining steps a trial is finished, not pruned.

        Raises:
            optuna.TrialPruned: Recorded as PRUNED by the sweeper.
        """
        self.report(value, step)
        if remaining and self.should_prune():
            log.info("trial %d: pruned after step %d", self.number, step)
            raise TrialPruned(f"trial {self.number} was pruned after step {step}")


_running: ContextVar[Mapping[int, JobTrial] | None] = ContextVar("running", default=None)


@contextmanager
def available(trials: Mapping[int, JobTrial]) -> Iterator[None]:
    """Make trials available to the jobs in this process."""
    token = _running.set(trials)
    try:
        yield
    finally:
        _running.reset(token)


def current_trial(hpo: Mapping[str, object] | DictConfig | None) -> JobTrial | None:
    """The trial of this job, in the sweeper's process or on another machine; None outside a search.

    Args:
        hpo: The job's `hpo` node, which the sweeper fills: `trial` (its number) and `study`.
    """
    if hpo is None or hpo.get("trial") is None:
        return None
    number = int(str(hpo["trial"]))
    here = _running.get()
    if here is not None and number in here:
        return here[number]
    return _connect(str(hpo["study"]), number)


def build_pruner(config: DictConfig | None) -> BasePruner:
    """Build the pruner of `hydra.sweeper.pruner`; null: no pruning."""
    if config is None:
        return NopPruner()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        pruner = build(config, "hydra.sweeper.pruner", PRUNERS)
    assert isinstance(pruner, BasePruner), f"hydra.sweeper.pruner makes {pruner!r}"
    return pruner


def _connect(study_name: str, number: int) -> JobTrial:
    from mds_lightning.search.store import open_store

    sweeper = HydraConfig.get().sweeper
    if sweeper.storage is None:
        raise ValueError(
            "hydra.sweeper.storage: null keeps trials in the sweeper's memory, where a job in another "
            "process cannot report: give the study a storage"
        )
    storage = open_store(sweeper.storage, study_name, sweeper.heartbeat, sweeper.grace, create=False).storage
    study = optuna.load_study(study_name=study_name, storage=storage, pruner=build_pruner(sweeper.pruner))
    return JobTrial(study, storage.get_trial_id_from_study_id_trial_number(study._study_id, number))
