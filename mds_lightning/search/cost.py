"""The cost of a search: how many models it trains, and how long that takes."""

from datetime import timedelta

from optuna.trial import FrozenTrial


def describe_cost(n_trials: int, n_folds: int, is_nested: bool, finished: int) -> str:
    """One sentence for the terminal before a search starts.

    Args:
        n_trials: Trials of the complete study; of a nested search, of each fold.
        n_folds: Number of folds.
        is_nested: Whether each fold has a search of its own.
        finished: Trials that are finished already, of all folds.
    """
    what = (
        f"{n_folds} searches (one for each fold) of {n_trials} trials with one training each"
        if is_nested
        else f"a search of {n_trials} trials with {n_folds} trainings each"
    )
    total = n_trials * (n_folds if is_nested else 1)
    return (
        f"{what}: {n_trials * n_folds} models are trained (hydra.sweeper.n_trials={n_trials}, "
        f"folds.n_splits={n_folds}); {finished} of {total} trials are finished"
    )


def estimate_duration(trial: FrozenTrial, remaining: int) -> str:
    """How long the remaining trials of a study take one worker, if they last as long as this one.

    Args:
        trial: A finished trial.
        remaining: Number of trials of the study that are not finished.
    """
    assert trial.duration is not None, "a finished trial has a duration"
    seconds = round(trial.duration.total_seconds())
    left = timedelta(seconds=remaining * seconds)
    return (
        f"trial {trial.number} took {timedelta(seconds=seconds)}: the {remaining} that remain in this study "
        f"take about {left} with one worker"
    )
