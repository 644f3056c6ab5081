"""Several seeds in a sweep: a grid trains every fold with each of them."""

from collections.abc import Mapping

from omegaconf import DictConfig
from optuna.distributions import BaseDistribution, IntDistribution

from mds_lightning.search.space import Space

#: Override of the jobs of several seeds: their folder below that of the variant.
_FOLDER = "seed_folder='/seed-${seed}'"


def add_seeds(space: Space, config: DictConfig, is_grid: bool) -> Space:
    """Add `seeds` seeds, from `seed` on, as a key of the sweep whose values change slowest.

    Args:
        space: The swept keys without the seeds.
        config: The configuration as the sweep was started; one without the key `seeds` is left as it is.
        is_grid: Whether the sweep is a grid, and not a search.

    Returns:
        The space with the key `seed`; as it was for one seed.

    Raises:
        ValueError: `seeds` is below 1; the seeds are listed as `seed=0,1`; a search has several seeds.
    """
    if "seeds" not in config:
        return space
    count, first = int(config.seeds), config.seed
    if "seed" in space.distributions:
        raise ValueError(
            "seed= has several values: several seeds are given by their number, from seed= on, so that each "
            "gets a folder of its own: seeds=3 seed=0 trains with the seeds 0, 1 and 2"
        )
    if count < 1:
        raise ValueError(f"seeds={count}: give a number from 1")
    if count == 1:
        return space
    if not is_grid:
        raise ValueError(
            f"seeds={count} in a search: a search trains each setting with one seed. Leave seeds out, and "
            "train the setting that the search selected with several seeds: mds-lightning train -m "
            f"study=NAME seeds={count} with its keys (they are in config.yaml of its trial)"
        )
    seeds: Mapping[str, BaseDistribution] = {"seed": IntDistribution(first, first + count - 1)}
    fixed = tuple(one for one in space.fixed if one.split("=")[0].lstrip("+") != "seed")
    return Space({**seeds, **space.distributions}, (*fixed, _FOLDER))
