"""Selection of a variant in each fold by its validation images."""

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
    """The variant selected in each fold.

    Attributes:
        chosen: Fold to variant.
        scores: Variant to the mean over folds of its ROC-AUC on validation images, largest first.
    """

    chosen: Mapping[int, str]
    scores: Mapping[str, float]

    @property
    def label(self) -> str:
        """Name of the variant, or a text if the folds have different ones."""
        names = dict.fromkeys(self.chosen.values())
        return next(iter(names)) if len(names) == 1 else f"chosen in each fold among {len(self.scores)}"

    @property
    def preferred(self) -> str:
        """The variant with the largest mean on validation images: the reference of comparisons."""
        return next(iter(self.scores))


@dataclass(frozen=True)
class Selection(Choice):
    """A selection whose models were tested.

    Attributes:
        predictions: Rows of the variant selected in each fold, which a report is computed from.
        complete: Whether the other variants were also tested in every fold.
    """

    predictions: Predictions
    complete: bool


def select_variants(study: StudyDirectory, pooled: Mapping[str, Predictions]) -> Selection:
    """Select a variant in each fold by its validation images, and take the rows of the selected variants.

    Args:
        study: The study, for messages.
        pooled: Variant to its pooled rows (see `studies.pooled_rows.read_runs`).

    Raises:
        UntestedError: A selected trial of a search was not tested in its fold.
    """
    choice = choose_variants(pooled)
    untested = [
        f"{variant} in fold {fold}"
        for fold, variant in choice.chosen.items()
        if fold in pooled[variant].untested_folds
    ]
    if untested:
        raise UntestedError(
            f"{study.path} is a search, and the trials selected on validation patients were not tested "
            f"({', '.join(untested)}). Test them with:\n  {command_to_test(study)}"
        )
    rows = [pooled[variant].of_fold(fold).table for fold, variant in choice.chosen.items()]
    predictions = Predictions(pd.concat(rows, ignore_index=True), next(iter(pooled.values())).classes)
    complete = not any(one.untested_folds for one in pooled.values())
    return Selection(choice.chosen, choice.scores, predictions, complete)


def choose_variants(pooled: Mapping[str, Predictions]) -> Choice:
    """Select a variant in each fold by its validation images; no other rows are used or needed.

    A validation patient of one fold is a test patient of another, so selection by the mean over folds would
    use test patients; selection within each fold does not. Of variants with equal scores, the one with the
    larger mean is taken, then the first by name.

    Args:
        pooled: Variant to the pooled rows of its folds.
    """
    by_fold = {variant: _score_folds(rows) for variant, rows in pooled.items()}
    means = {variant: _mean(scores.values()) for variant, scores in by_fold.items()}
    order = sorted(pooled, key=lambda variant: (-_rank(means[variant]), variant))
    folds = sorted({fold for scores in by_fold.values() for fold in scores})
    chosen = {fold: max(order, key=lambda variant: _rank(by_fold[variant][fold])) for fold in folds}
    return Choice(chosen, {variant: means[variant] for variant in order})


def _score_folds(predictions: Predictions) -> dict[int, float]:
    val = predictions.split("val")
    return {
        int(fold): score_auroc(val.of_fold(int(fold)).table) for fold in np.unique(predictions.table["fold"])
    }


def _mean(scores: Iterable[float]) -> float:
    values = np.array(list(scores))
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _rank(score: float) -> float:
    """The score, with an undefined one below all others."""
    return score if np.isfinite(score) else float("-inf")
