"""Which trials remain to be run; the plan of a search."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from omegaconf import DictConfig
from optuna import Trial
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.heartbeat import record_heartbeat
from mds_lightning.search.proposal import Proposals, distinct_points
from mds_lightning.search.retry import point, variant
from mds_lightning.search.space import Space
from mds_lightning.search.trial_record import FIXED, WORKER, ForeignTrialError, fixed_params
from mds_lightning.search.trial_screening import find_fault, screen_trials
from mds_lightning.studies.worker import Worker

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class Plan(Protocol):
    """Determines from the trials of a study what is run next; every method is called with its lock held.

    Attributes:
        total: Number of trials of a complete study.
        requeues: Whether the parameters of an ended trial are queued again (not needed by a grid).
    """

    total: int
    requeues: bool

    def screen(self, study: Study) -> None:
        """Refuse trials that are not of this search.

        Raises:
            ForeignTrialError: A running or finished trial is not; queued ones are ended.
        """
        ...

    def finished(self, trials: Sequence[FrozenTrial]) -> int:
        """Number of finished trials, up to `total`."""
        ...

    def is_complete(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether nothing is left to run, and no trial is running."""
        ...

    def has_work(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether a trial can be started that no other worker runs."""
        ...

    def start(self, study: Study, worker: Worker) -> Trial:
        """Start a trial of `worker` with all its parameters."""
        ...

    def sampler(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        """The sampler that is notified when the trial ends."""
        ...

    def overrides(self, study: Study, trial: FrozenTrial) -> tuple[str, ...]:
        """Overrides of the job of the trial."""
        ...

    def note_failure(self, params: Mapping[str, Any]) -> None:
        """Remember that a trial with these parameters failed in this process."""
        ...


class SearchPlan:
    """`n_trials` finished trials (complete or pruned) over all workers; failures do not count.

    Args:
        proposals: Where points come from.
        n_trials: Finished trials of the complete study.
        config: The configuration that `extend` reads.
        blind: See `search.blindness`; stored with every run.
        extend: `hydra.sweeper.custom_search_space`.
        fold: The fold that the trials of a nested search train; None: all folds.
    """

    requeues = True

    def __init__(
        self,
        proposals: Proposals,
        n_trials: int,
        config: DictConfig,
        blind: bool,
        extend: Callable[[DictConfig, Trial], None] | None = None,
        fold: int | None = None,
    ) -> None:
        self.total = n_trials
        self._proposals = proposals
        self._config = config
        self._blind = blind
        self._extend = extend
        self._fold = fold
        self._size = None if extend else proposals.space.size()
        #: Number of a trial to the space with the keys that `extend` added for it.
        self._spaces: dict[int, Space] = {}

    def screen(self, study: Study) -> None:
        """Refuse trials that are not of the search space (see `screen_trials`)."""
        screen_trials(study, self._proposals.space, self._extend is not None)

    def finished(self, trials: Sequence[FrozenTrial]) -> int:
        """Number of complete and pruned trials."""
        return count(trials, *FINISHED)

    def is_complete(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether `n_trials` have finished, or every point of a finite space has been tried."""
        if self.finished(trials) >= self.total:
            return True
        idle = not count(trials, TrialState.RUNNING, TrialState.WAITING)
        return idle and self._is_exhausted(trials)

    def has_work(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether fewer than `n_trials` have finished or are running."""
        if count(trials, *FINISHED, TrialState.RUNNING) >= self.total:
            return False
        return count(trials, TrialState.WAITING) > 0 or not self._is_exhausted(trials)

    def start(self, study: Study, worker: Worker) -> Trial:
        """Start the oldest queued trial, or a new one.

        Raises:
            ForeignTrialError: The trial was queued after `screen`, and is not of the search space.
        """
        trial, space = begin(study, worker), self._proposals.space
        frozen = study._storage.get_trial(trial._trial_id)
        if fault := find_fault(frozen, space, self._extend is not None):
            raise ForeignTrialError(f"trial {frozen.number} is not of this search: {fault}")
        rank = point(frozen, study.get_trials(deepcopy=False))
        params = fixed_params(frozen)
        if space.distributions.keys() - params.keys():
            params = {**self._proposals.draw(study, frozen, rank), **params}
        trial = settle(study, trial, params, space)
        if self._extend is not None:
            study.sampler = self._proposals.build(rank)
            extended = ExtendedTrial(study, trial._trial_id)
            self._extend(self._config, extended)
            self._spaces[trial.number] = Space({**space.distributions, **extended.added}, space.fixed)
        return trial

    def sampler(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        """The sampler that proposed the trial."""
        return self._proposals.build(point(trial, study.get_trials(deepcopy=False)))

    def overrides(self, study: Study, trial: FrozenTrial) -> tuple[str, ...]:
        """The parameters of the trial, its number and study, and its own directory."""
        name = study.study_name.replace("\\", "\\\\").replace("'", "\\'")
        space = self._spaces.get(trial.number, self._proposals.space)
        params = {key: value for key, value in trial.params.items() if key in space.distributions}
        return (
            *space.overrides(params),
            f"++hpo.trial={trial.number}",
            f"++hpo.study='{name}'",
            f"++hpo.variant={variant(trial, self._fold)}",
            f"++hpo.blind={str(self._blind).lower()}",
            *([] if self._fold is None else [f"fold={self._fold}"]),
            f"hydra.sweep.subdir={variant(trial, self._fold)}",
        )

    def note_failure(self, params: Mapping[str, Any]) -> None:
        """Nothing to remember: a new point is proposed instead."""

    def _is_exhausted(self, trials: Sequence[FrozenTrial]) -> bool:
        return self._size is not None and distinct_points(list(trials), self._proposals.space) >= self._size


class ExtendedTrial(Trial):
    """A trial that records which keys a function adds to the search space.

    Attributes:
        added: Key to its distribution.
    """

    def __init__(self, study: Study, trial_id: int) -> None:
        super().__init__(study, trial_id)
        self.added: dict[str, BaseDistribution] = {}

    def _suggest(self, name: str, distribution: BaseDistribution) -> Any:
        self.added[name] = distribution
        return super()._suggest(name, distribution)


def count(trials: Sequence[FrozenTrial], *states: TrialState) -> int:
    """Number of trials in one of `states`."""
    return sum(trial.state in states for trial in trials)


def begin(study: Study, worker: Worker) -> Trial:
    """Start a trial that records its worker; it has no parameters yet."""
    study.sampler = RandomSampler(0)  # not used: points are drawn by `Proposals`
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about heartbeats outside of Optuna's own loop
        trial = study.ask()
    return sign(study, trial, worker)


def sign(study: Study, trial: Trial, worker: Worker) -> Trial:
    """Record the worker of a trial; a running trial without one was killed before it started."""
    record_heartbeat(study._storage, trial._trial_id)
    trial.set_user_attr(WORKER, worker.record())
    return trial


def settle(study: Study, trial: Trial, params: Mapping[str, Any], space: Space) -> Trial:
    """Set the parameters of a trial: first all in one write, then one by one as Optuna stores them."""
    study._storage.set_trial_system_attr(trial._trial_id, FIXED, dict(params))
    trial = Trial(study, trial._trial_id)
    for name, distribution in space.distributions.items():
        trial._suggest(name, distribution)
    return trial
