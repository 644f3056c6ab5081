"""Names of the trials of a search, which are the folders of their runs below that of the study.

`trial-<n>` trains every fold. In a nested search each fold has trials of its own, `trial-<k>-<n>` of fold k.
"""

import re

_TRIAL = re.compile(r"trial-(?:(?P<fold>\d+)-)?\d+")


def name_trial(number: int, fold: int | None = None) -> str:
    """Name of a trial.

    Args:
        number: In its Optuna study.
        fold: The fold whose search it belongs to; None: every fold is trained.
    """
    return f"trial-{number}" if fold is None else f"trial-{fold}-{number}"


def is_trial(variant: str) -> bool:
    """Whether a variant is a trial of a search, and not a cell of a grid."""
    return variant.startswith("trial-")


def find_outer_fold(variant: str) -> int | None:
    """The fold of a trial of a nested search; None for every other variant."""
    found = _TRIAL.fullmatch(variant)
    return None if found is None or found["fold"] is None else int(found["fold"])


def list_trained_folds(variant: str, n_folds: int) -> list[int]:
    """The folds that a variant trains: its own, or all."""
    fold = find_outer_fold(variant)
    return list(range(n_folds)) if fold is None else [fold]
