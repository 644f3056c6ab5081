"""Which variant each fold is tested with: the one that its own validation patients prefer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mds_lightning.statistics.metrics.roc_auc import score_auroc
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import UntestedError, command_to_test


@dataclass(frozen=True)
class Choice:
    """The outcome of choosing among variants on validation patients, fold by fold.

    Attributes:
        chosen: Fold to variant.
        scores: Variant to its mean over folds of the ROC-AUC on validation images, best first.
    """

    chosen: Mapping[int, str]
    scores: Mapping[str, float]

    @property
    def label(self) -> str:
        """The variant, or that folds differ in it."""
        names = dict.fromkeys(self.chosen.values())
        return next(iter(names)) if len(names) == 1 else f"chosen in each fold among {len(self.scores)}"

    @property
    def preferred(self) -> str:
        """The variant with the best mean on validation images: the reference of comparisons."""
        return next(iter(self.scores))


@dataclass(frozen=True)
class Selection(Choice):
    """A choice whose models were tested.

    Attributes:
        predictions: The rows of each fold's chosen variant: what a report is about.
        complete: Whether the variants that were not chosen were tested too, in every fold.
    """

    predictions: Predictions
    complete: bool


def select_variants(study: StudyDirectory, pooled: Mapping[str, Predictions]) -> Selection:
    """Choose in each fold by its validation images alone, and take the rows of the chosen.

    Args:
        study: Whose variants these are, for the message.
        pooled: As `studies.pooled_rows.read_runs` gives them.

    Raises:
        UntestedError: A chosen trial of a search was not tested in its fold.
    """
    choice = choose_variants(pooled)
    untested = [
        f"{variant} in fold {fold}"
        for fold, variant in choice.chosen.items()
        if fold in pooled[variant].untested_folds
    ]
    if untested:
        raise UntestedError(
            f"{study.path} is a search, and the trials that validation chooses were not asked about their "
            f"test patients ({', '.join(untested)}). Test them with:\n  {command_to_test(study)}"
        )
    rows = [pooled[variant].of_fold(fold).table for fold, variant in choice.chosen.items()]
    predictions = Predictions(pd.concat(rows, ignore_index=True), next(iter(pooled.values())).classes)
    complete = not any(one.untested_folds for one in pooled.values())
    return Selection(choice.chosen, choice.scores, predictions, complete)


def choose_variants(pooled: Mapping[str, Predictions]) -> Choice:
    """Choose in each fold by its validation images alone; only they need be there.

    A patient who validates in one fold is tested in another, so a choice by the mean over folds would not be
    blind to the test patients; a choice within each fold is. Of equal variants the one with the better mean
    is taken, then the first by name.

    Args:
        pooled: Variant to the pooled rows of its folds.
    """
    by_fold = {variant: _score_folds(rows) for variant, rows in pooled.items()}
    means = {variant: _mean(scores.values()) for variant, scores in by_fold.items()}
    order = sorted(pooled, key=lambda variant: (-_known(means[variant]), variant))
    folds = sorted({fold for scores in by_fold.values() for fold in scores})
    chosen = {fold: max(order, key=lambda variant: _known(by_fold[variant][fold])) for fold in folds}
    return Choice(chosen, {variant: means[variant] for variant in order})


def _score_folds(predictions: Predictions) -> dict[int, float]:
    val = predictions.split("val")
    return {
        int(fold): score_auroc(val.of_fold(int(fold)).table) for fold in np.unique(predictions.table["fold"])
    }


def _mean(scores: Iterable[float]) -> float:
    values = np.array(list(scores))
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _known(score: float) -> float:
    """An undefined score is preferred to none."""
    return score if np.isfinite(score) else float("-inf")
