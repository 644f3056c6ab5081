"""The search space: swept overrides as distributions, and fixed overrides."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra_plugins.hydra_optuna_sweeper._impl import create_params_from_overrides
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from mds_lightning.search.override_text import write_override


@dataclass(frozen=True)
class Space:
    """The search space of a sweep.

    Attributes:
        distributions: Swept key to its distribution.
        fixed: Overrides of every job.
    """

    distributions: Mapping[str, BaseDistribution]
    fixed: tuple[str, ...]

    def check(self, name: str, value: Any) -> None:
        """Raise unless `name` is a swept key and `value` one of its values.

        Raises:
            ValueError: With the key and the value.
        """
        distribution = self.distributions.get(name)
        if distribution is None:
            raise ValueError(f"{name!r} is not a key of the search space ({', '.join(self.distributions)})")
        if not _contains(distribution, value):
            raise ValueError(f"{name}={value!r} is not in {distribution}")

    def overrides(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The overrides of one job.

        Raises:
            ValueError: A parameter is not of the search space.
        """
        for name, value in params.items():
            self.check(name, value)
        return (*(write_override(name, value) for name, value in params.items()), *self.fixed)

    def size(self) -> int | None:
        """Number of distinct points; None if a key is continuous."""
        counts = [_count(distribution) for distribution in self.distributions.values()]
        return None if None in counts else math.prod(count for count in counts if count is not None)


def read_space(arguments: list[str]) -> Space:
    """Read `key=choice(...)`, `key=interval(...)`, `key=range(...)`, `key=a,b` and plain overrides.

    The last override of a key counts, so that the command line overrides the configured search.
    """
    swept: dict[str, BaseDistribution] = {}
    fixed: dict[str, Any] = {}
    deleted: list[str] = []
    for argument in arguments:
        distributions, plain, deletions = create_params_from_overrides([argument])
        for name in (*distributions, *plain):
            swept.pop(name, None)
            fixed.pop(name, None)
        swept |= distributions
        fixed |= plain
        deleted += deletions
    return Space(swept, (*(f"{name}={value}" for name, value in fixed.items()), *deleted))


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return any(type(value) is type(choice) and value == choice for choice in distribution.choices)
    kinds = (int,) if isinstance(distribution, IntDistribution) else (int, float)
    # A text such as '0.5' or True would pass as a number, and become another override.
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        return False
    return distribution._contains(distribution.to_internal_repr(value))


def _count(distribution: BaseDistribution) -> int | None:
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return (distribution.high - distribution.low) // distribution.step + 1
    if isinstance(distribution, FloatDistribution) and distribution.step is not None:
        return round((distribution.high - distribution.low) / distribution.step) + 1
    return None
