"""Proposals of points: a new sampler for each, so that they depend only on the seed and earlier trials."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from mds_lightning.search.permitted_targets import SAMPLERS, build
from mds_lightning.search.sobol_sampler import SobolSampler
from mds_lightning.search.space import Space

log = logging.getLogger(__name__)

#: Draws by the sampler, then at random, before a point is repeated.
_SAMPLER_DRAWS, _RANDOM_DRAWS = 10, 100


@dataclass(frozen=True)
class Proposals:
    """Proposes points of a search space.

    Attributes:
        space: The search space.
        sampler: Hydra configuration of an Optuna sampler.
        seed: Seed of the search. With one worker the proposals are reproducible; several workers never
            propose the same point.
    """

    space: Space
    sampler: DictConfig
    seed: int

    def build(self, point: int, attempt: int = 0) -> BaseSampler:
        """The sampler of the `point`-th proposal."""
        if is_sobol(self.sampler) and attempt < _SAMPLER_DRAWS:
            # All points are of one sequence; a point that was already tried is replaced from another one.
            sequence = int(np.random.SeedSequence([self.seed, attempt]).generate_state(1)[0])
            return SobolSampler(self.space.distributions, sequence, point)
        seed = int(np.random.SeedSequence([self.seed, point, attempt]).generate_state(1)[0])
        if attempt >= _SAMPLER_DRAWS:
            return RandomSampler(seed)
        sampler = build(self.sampler, "hydra.sweeper.sampler", SAMPLERS, seed=seed)
        assert isinstance(sampler, BaseSampler), f"hydra.sweeper.sampler makes {sampler!r}"
        return sampler

    def draw(self, study: Study, trial: FrozenTrial, point: int) -> dict[str, Any]:
        """Draw values for every key of the space that were not tried before, if there are any.

        Args:
            study: The study, whose lock is held.
            trial: The running trial that gets the values.
            point: See `retry.point`.
        """
        tried = [_point(other, self.space) for other in study.get_trials(deepcopy=False)]
        params: dict[str, Any] = {}
        for attempt in range(_SAMPLER_DRAWS + _RANDOM_DRAWS):
            params = self._draw_once(study, trial, self.build(point, attempt))
            if params not in tried:
                return params
        log.warning("trial %d repeats a point: no new point was found in %d draws", trial.number, attempt + 1)
        return params

    def _draw_once(self, study: Study, trial: FrozenTrial, sampler: BaseSampler) -> dict[str, Any]:
        sampler.before_trial(study, trial)
        together = sampler.infer_relative_search_space(study, trial)
        params = sampler.sample_relative(study, trial, together)
        return {
            name: params[name] if name in params else sampler.sample_independent(study, trial, name, each)
            for name, each in self.space.distributions.items()
        }


def is_sobol(sampler: Any) -> bool:
    """Whether `hydra/sweeper/sampler=sobol` was chosen."""
    return str(OmegaConf.select(sampler, "_target_")).endswith("SobolSampler")


def distinct_points(trials: list[FrozenTrial], space: Space) -> int:
    """Number of distinct points that were proposed."""
    found: list[Mapping[str, Any]] = []
    for trial in trials:
        if trial.params and _point(trial, space) not in found:
            found.append(_point(trial, space))
    return len(found)


def _point(trial: FrozenTrial, space: Space) -> dict[str, Any]:
    return {name: trial.params[name] for name in space.distributions if name in trial.params}
