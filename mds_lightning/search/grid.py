"""The cells of a grid, and which of them are finished."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from optuna import Trial
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from mds_lightning.search.plan import FINISHED, count, sign
from mds_lightning.search.space import Space
from mds_lightning.search.trial_record import DIRECTORY
from mds_lightning.search.trial_screening import screen_trials
from mds_lightning.studies.worker import Worker


def is_grid(sampler: Any) -> bool:
    """Whether `hydra/sweeper/sampler=grid` was chosen."""
    return str(OmegaConf.select(sampler, "_target_")).endswith("GridSampler")


def grid_cells(space: Space, choices: Callable[[BaseDistribution], Sequence[Any]]) -> list[dict[str, Any]]:
    """List every combination; the last key changes fastest.

    Args:
        space: Keys with finitely many values each.
        choices: The values of a distribution.

    Raises:
        ValueError: A key has a continuous range.
    """
    try:
        values = [choices(distribution) for distribution in space.distributions.values()]
    except ValueError as error:
        raise ValueError(
            "a grid needs keys with finitely many values: write key=choice(...) or key=range(...), or search "
            "with hydra/sweeper/sampler=tpe"
        ) from error
    return [dict(zip(space.distributions, cell, strict=True)) for cell in itertools.product(*values)]


class GridPlan:
    """Runs every cell once. A cell is finished if one of its trials is and the directory still exists."""

    requeues = False

    def __init__(self, space: Space, cells: Sequence[Mapping[str, Any]]) -> None:
        self.total = len(cells)
        self._space = space
        self._cells = cells
        self._failed: list[Mapping[str, Any]] = []

    def screen(self, study: Study) -> None:
        """Refuse trials that are not cells of this grid."""
        screen_trials(study, self._space)

    def finished(self, trials: Sequence[FrozenTrial]) -> int:
        """Number of finished cells."""
        done = [trial.params for trial in trials if is_done(trial)]
        return sum(cell in done for cell in self._cells)

    def is_complete(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether no cell is free and none is running."""
        return not self.has_work(trials) and not count(trials, TrialState.RUNNING)

    def has_work(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether a cell is neither finished nor running, and has not failed in this process."""
        return self._free(trials) is not None

    def start(self, study: Study, worker: Worker) -> Trial:
        """Start the first free cell."""
        cell = self._free(study.get_trials(deepcopy=False))
        assert cell is not None, "start is called after has_work"
        distributions = dict(self._space.distributions)
        running = create_trial(state=TrialState.RUNNING, params=dict(cell), distributions=distributions)
        trial_id = study._storage.create_new_trial(study._study_id, running)
        study.sampler = RandomSampler(0)
        return sign(study, Trial(study, trial_id), worker)

    def sampler(self, study: Study, trial: FrozenTrial) -> BaseSampler:  # noqa: ARG002
        """A sampler that is not used: a grid does not learn from its trials."""
        return RandomSampler(0)

    def overrides(self, study: Study, trial: FrozenTrial) -> tuple[str, ...]:  # noqa: ARG002
        """The keys of the cell only: the job is the same as that of a single command."""
        return self._space.overrides(trial.params)

    def note_failure(self, params: Mapping[str, Any]) -> None:
        """Exclude the cell for the rest of this process; the next process runs it again."""
        self._failed.append(dict(params))

    def _free(self, trials: Sequence[FrozenTrial]) -> Mapping[str, Any] | None:
        taken = [trial.params for trial in trials if trial.state is TrialState.RUNNING or is_done(trial)]
        return next((cell for cell in self._cells if cell not in taken and cell not in self._failed), None)


def is_done(trial: FrozenTrial) -> bool:
    """Whether a trial of a grid is finished and its directory exists."""
    directory = trial.user_attrs.get(DIRECTORY)
    return trial.state in FINISHED and (directory is None or Path(directory).is_dir())
