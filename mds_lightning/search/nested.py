"""Nested search: one search for each fold, which no other fold's validation result influences.

The search of fold k trains on the training patients of fold k and is scored on its validation patients. Its
sampler sees these results alone, so the test patients of fold k have no influence on the trials that exist,
on how far they are trained, or on which is chosen: an adaptive sampler is blind too. Patients of fold k's
training and validation sets are test patients of other folds, whose searches in turn do not see them.

The validation patients of fold k choose the epoch, the trial, the threshold and the recalibration, so the
objective of the chosen trial is optimistic; its test predictions are not.
"""

import numpy as np
import optuna
from omegaconf import DictConfig, OmegaConf

from mds_lightning.search.store import Store

#: Entry of the identity of a fold's study, and part of the study's name.
OUTER_FOLD = "outer fold"
_PART = "/fold-"


def list_outer_folds(config: DictConfig, is_grid: bool) -> list[int | None]:
    """The folds with a search of their own; a single None where one study holds all trials.

    Args:
        config: The configuration as the sweep was started; one without `search.nested` is not nested.
        is_grid: Whether the sweep is a grid, and not a search.

    Raises:
        ValueError: A grid is nested.
    """
    if not OmegaConf.select(config, "search.nested", default=False):
        return [None]
    if is_grid:
        raise ValueError(
            "search.nested=true in a grid: a grid has no search that could be nested. Give a search "
            "(sweep=hyperparameters or sweep=hyperparameters_tpe), or leave search.nested out"
        )
    return list(range(int(config.folds.n_splits)))


def name_study(name: str, fold: int | None) -> str:
    """Name of the Optuna study of a fold, or of the only study."""
    return name if fold is None else f"{name}{_PART}{fold}"


def seed_of_fold(seed: int, fold: int | None) -> int:
    """Seed of a fold's sampler: every fold has its own points."""
    return seed if fold is None else int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])


def refuse_other_kind(store: Store, name: str, is_nested: bool) -> None:
    """Raise if the study is stored as a search of the other kind.

    Args:
        store: Storage, whose lock is held.
        name: Name of the study.
        is_nested: Whether the search is nested now.

    Raises:
        ValueError: It is.
    """
    names = optuna.get_all_study_names(store.storage)
    others = [one for one in names if (one == name if is_nested else one.startswith(f"{name}{_PART}"))]
    if others:
        there, now = ("nested", "not nested") if not is_nested else ("not nested", "nested")
        raise ValueError(
            f"the stored study '{name}' is {there}, and this command is {now} "
            f"(search.nested={str(is_nested).lower()}): give the study another name (study=NAME), or set "
            f"search.nested={str(not is_nested).lower()}"
        )
