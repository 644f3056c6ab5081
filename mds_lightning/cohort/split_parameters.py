"""The settings `folds` of a configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SplitParameters:
    """How the patients of a cohort are split into folds; written once to the study's folds.json.

    Attributes:
        n_splits: Number of folds, 2 or more; each patient is tested in one.
        seed: Decides the folds, together with the cohort.
        val_share: Fraction of each class's training patients used for validation (early stopping and the
            choice of the checkpoint), in (0, 1).
    """

    n_splits: int = 5
    seed: int = 0
    val_share: float = 0.2
