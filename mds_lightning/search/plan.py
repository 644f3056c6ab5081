"""What is left to run, and the plan of a search: so many finished trials."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from omegaconf import DictConfig
from optuna import Trial
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.heartbeat import record_heartbeat
from mds_lightning.search.proposal import Proposals, distinct_points
from mds_lightning.search.retry import FIXED, WORKER, point, variant
from mds_lightning.search.space import Space
from mds_lightning.studies.worker import Worker

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class Plan(Protocol):
    """Decides, from the study's trials alone, what is run next; every method is called under its lock.

    Attributes:
        total: Trials that a complete study holds.
        requeues: Whether a retired trial's point is queued, or found free again without a queue.
    """

    total: int
    requeues: bool

    def finished(self, trials: Sequence[FrozenTrial]) -> int:
        """How many of `total` are done."""
        ...

    def is_complete(self, trials: Sequence[FrozenTrial]) -> bool:
        """Nothing is left, and nobody runs anything whose failure would leave something."""
        ...

    def has_work(self, trials: Sequence[FrozenTrial]) -> bool:
        """Something can be started that nobody else runs."""
        ...

    def start(self, study: Study, worker: Worker) -> Trial:
        """A running trial of `worker` with all its parameters."""
        ...

    def sampler(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        """The sampler that is told of the trial's end."""
        ...

    def overrides(self, study: Study, trial: FrozenTrial) -> tuple[str, ...]:
        """What the trial's job is started with."""
        ...

    def note_failure(self, params: Mapping[str, Any]) -> None:
        """Remember that a trial with these parameters failed in this process."""
        ...


class SearchPlan:
    """`n_trials` finished trials (complete or pruned), whoever ran them; failures do not count."""

    requeues = True

    def __init__(
        self,
        proposals: Proposals,
        n_trials: int,
        config: DictConfig,
        extend: Callable[[DictConfig, Trial], None] | None = None,
    ) -> None:
        self.total = n_trials
        self._proposals = proposals
        self._config = config
        self._extend = extend
        self._size = None if extend else proposals.space.size()

    def finished(self, trials: Sequence[FrozenTrial]) -> int:
        """Complete and pruned trials."""
        return count(trials, *FINISHED)

    def is_complete(self, trials: Sequence[FrozenTrial]) -> bool:
        """`n_trials` have finished, or every point of a finite space has been tried."""
        if self.finished(trials) >= self.total:
            return True
        idle = not count(trials, TrialState.RUNNING, TrialState.WAITING)
        return idle and self._is_exhausted(trials)

    def has_work(self, trials: Sequence[FrozenTrial]) -> bool:
        """Fewer than `n_trials` have finished or are running."""
        if count(trials, *FINISHED, TrialState.RUNNING) >= self.total:
            return False
        return count(trials, TrialState.WAITING) > 0 or not self._is_exhausted(trials)

    def start(self, study: Study, worker: Worker) -> Trial:
        """The oldest queued trial with its own parameters, or a new one."""
        trial = begin(study, worker)
        frozen = study._storage.get_trial(trial._trial_id)
        rank = point(frozen, study.get_trials(deepcopy=False))
        params = frozen.system_attrs.get(FIXED, {})
        if self._proposals.space.distributions.keys() - params.keys():
            params = {**self._proposals.draw(study, frozen, rank), **params}
        trial = settle(study, trial, params, self._proposals.space)
        if self._extend is not None:
            study.sampler = self._proposals.build(rank)
            self._extend(self._config, trial)
        return trial

    def sampler(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        """The one that proposed the trial."""
        return self._proposals.build(point(trial, study.get_trials(deepcopy=False)))

    def overrides(self, study: Study, trial: FrozenTrial) -> tuple[str, ...]:
        """Its parameters, how the job finds its trial, and a directory that no other trial has."""
        name = study.study_name.replace("\\", "\\\\").replace("'", "\\'")
        return (
            *self._proposals.space.overrides(trial.params),
            f"++hpo.trial={trial.number}",
            f"++hpo.study='{name}'",
            f"++hpo.variant={variant(trial)}",
            f"hydra.sweep.subdir={variant(trial)}",
        )

    def note_failure(self, params: Mapping[str, Any]) -> None:
        """A new point is proposed instead."""

    def _is_exhausted(self, trials: Sequence[FrozenTrial]) -> bool:
        return self._size is not None and distinct_points(list(trials), self._proposals.space) >= self._size


def count(trials: Sequence[FrozenTrial], *states: TrialState) -> int:
    """How many trials are in one of `states`."""
    return sum(trial.state in states for trial in trials)


def begin(study: Study, worker: Worker) -> Trial:
    """A running trial that says who runs it; it has no parameters yet."""
    study.sampler = RandomSampler(0)  # asked for nothing: points are drawn by `Proposals`
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the heartbeat is not Optuna's own loop's
        trial = study.ask()
    return sign(study, trial, worker)


def sign(study: Study, trial: Trial, worker: Worker) -> Trial:
    """Say who runs the trial; a running trial that is not signed was killed before it began."""
    record_heartbeat(study._storage, trial._trial_id)
    trial.set_user_attr(WORKER, worker.record())
    return trial


def settle(study: Study, trial: Trial, params: Mapping[str, Any], space: Space) -> Trial:
    """Give a trial its parameters: first all in one write, then each as Optuna keeps them."""
    study._storage.set_trial_system_attr(trial._trial_id, FIXED, dict(params))
    trial = Trial(study, trial._trial_id)
    for name, distribution in space.distributions.items():
        trial._suggest(name, distribution)
    return trial
