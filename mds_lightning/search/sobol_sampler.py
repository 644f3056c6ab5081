"""Points of a scrambled Sobol sequence: even coverage of the search space, whatever the trials achieve."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats.qmc import Sobol

#: Bits of a coordinate. The sequence has as many points as a coordinate has values.
_BITS = 30


class SobolSampler(BaseSampler):
    """One point of the sequence; it depends on the space, the seed and the index alone.

    Optuna's `QMCSampler` takes its index from a counter in the storage, which a killed worker leaves a gap
    in, and draws categories at random. Here a category is a dimension like every other, so that all choices
    occur about equally often.

    Args:
        distributions: The search space. The order of its keys has no effect.
        seed: Seed of the scrambling.
        index: Position in the sequence, from 0.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], seed: int, index: int) -> None:
        self._distributions = dict(sorted(distributions.items()))
        self._index = index
        self._seed = seed
        self._independent = RandomSampler(seed + index)

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """The whole space."""
        return self._distributions

    def sample_relative(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """The values of all keys; neither the study nor the trial is read."""
        if not search_space:
            return {}
        sequence = Sobol(len(search_space), scramble=True, bits=_BITS, rng=self._seed)
        if self._index:  # SciPy does not accept 0
            sequence.fast_forward(self._index)
        unit = sequence.random(1)[0]
        return {
            name: _quantile(search_space[name], float(u))
            for name, u in zip(sorted(search_space), unit, strict=True)
        }

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value, for keys that `custom_search_space` adds."""
        return self._independent.sample_independent(study, trial, param_name, param_distribution)


def _quantile(distribution: BaseDistribution, u: float) -> Any:
    """The value at probability `u`, 0 <= u < 1, of the uniform (or log-uniform) distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(u * len(distribution.choices))]
    if isinstance(distribution, IntDistribution):
        low, high, step = distribution.low, distribution.high, distribution.step
        if distribution.log:
            # Half a unit beyond both ends, so that the ends are as likely as their neighbours.
            return int(np.clip(round(_between(low - 0.5, high + 0.5, u, log=True)), low, high))
        return low + step * int(u * ((high - low) // step + 1))
    assert isinstance(distribution, FloatDistribution), f"unknown distribution {distribution}"
    if distribution.step is None:
        return _between(distribution.low, distribution.high, u, distribution.log)
    count = round((distribution.high - distribution.low) / distribution.step) + 1
    return min(distribution.low + distribution.step * int(u * count), distribution.high)


def _between(low: float, high: float, u: float, log: bool) -> float:
    if log:
        return math.exp(_between(math.log(low), math.log(high), u, log=False))
    return low + u * (high - low)
