"""The job of a search: an inner cross-validation."""

import logging
import math
from collections.abc import Callable, Sequence

from mds_lightning.search.trial import JobTrial

log = logging.getLogger(__name__)


def validate_folds(train_fold: Callable[[int], float], folds: Sequence[int], trial: JobTrial | None) -> float:
    """Train the folds, report each one's validation score, and return their mean.

    Args:
        train_fold: Trains one fold and returns its score on its *validation* patients; a finished fold
            returns its score at once, so that an interrupted trial continues with the next fold.
        folds: Numbers of the folds, at least one: all, or the one of a nested search.
        trial: The running trial, None outside a search.

    Returns:
        Mean of the folds' scores: the objective of the search.

    Raises:
        optuna.TrialPruned: The trial is worse than the best one on the folds so far.
        ValueError: The score of a fold is undefined.
    """
    scores: list[float] = []
    for step, fold in enumerate(folds):
        score = train_fold(fold)
        if math.isnan(score):
            raise ValueError(
                f"fold {fold} has no validation score (a class without validation patients?): use fewer "
                "folds (folds.n_splits) or a larger folds.val_share"
            )
        scores.append(score)
        if trial is not None:
            trial.report_or_prune(score, fold, remaining=len(folds) - step - 1)
    return sum(scores) / len(scores)
