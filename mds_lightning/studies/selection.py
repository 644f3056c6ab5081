"""Selection of a variant in each fold by its validation images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mds_lightning.statistics.balanced_loss import score_balanced_loss
from mds_lightning.statistics.metrics.roc_auc import score_auroc
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import UntestedError, command_to_test, is_trial
from mds_lightning.studies.settings import read_settings

#: What it means that a search was not blind; for reports.
NOT_BLIND = (
    "The search was not blind: its sampler or pruner used the validation results of all folds (or it was run "
    "with version 0.1.0, which does not record this). A validation patient of one fold is a test patient of "
    "another, so the test patients influenced which settings were tried, and the performance of the selected "
    "variants is optimistic, also where each fold selects its own variant. Settings that a blind search "
    "(sweep=hyperparameters) selects, or other patients, give a result without this bias."
)


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
        blind: See `is_blind_study`.
    """

    predictions: Predictions
    complete: bool
    blind: bool


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
    blind = is_blind_study(study, pooled)
    return Selection(choice.chosen, choice.scores, predictions, complete, blind)


def is_blind_study(study: StudyDirectory, variants: Iterable[str]) -> bool:
    """Whether no validation result influenced which variants exist.

    Always true for a grid. The runs of a search record it (`hpo.blind`); those of version 0.1.0 do not, and
    count as not blind.

    Args:
        study: The study.
        variants: Names of the variants that are compared.
    """
    runs = [run for variant in variants if is_trial(variant) for run in study.runs(variant).values()]
    return all(
        run.config.is_file() and read_settings(run.config).get("hpo", {}).get("blind") is True for run in runs
    )


def choose_variants(pooled: Mapping[str, Predictions]) -> Choice:
    """Select a variant in each fold by its validation images; no other rows are used or needed.

    A validation patient of one fold is a test patient of another, so selection by the mean over folds would
    use test patients; selection within each fold does not. For the same reason, variants with equal ROC-AUC
    are compared by the class-balanced loss on the validation images of the fold, and then by name.

    Args:
        pooled: Variant to the pooled rows of its folds.
    """
    folds = sorted({int(fold) for rows in pooled.values() for fold in rows.table["fold"].unique()})
    by_fold = {variant: _score_folds(rows.split("val"), folds) for variant, rows in pooled.items()}
    means = {variant: _mean(score.roc_auc for score in by_fold[variant].values()) for variant in pooled}
    names = sorted(pooled)
    chosen = {fold: max(names, key=lambda variant: by_fold[variant][fold].rank) for fold in folds}
    order = sorted(names, key=lambda variant: (-_known(means[variant]), variant))
    return Choice(chosen, {variant: means[variant] for variant in order})


@dataclass(frozen=True)
class _FoldScore:
    """Result on the validation images of one fold."""

    roc_auc: float
    balanced_loss: float

    @property
    def rank(self) -> tuple[float, float]:
        """Larger is better; without a ROC-AUC, all variants are equal."""
        if not np.isfinite(self.roc_auc):
            return _known(self.roc_auc), 0.0
        # Rounded, so that the order in which numbers were added does not break ties.
        return round(self.roc_auc, 12), -self.balanced_loss


def _score_folds(val: Predictions, folds: Iterable[int]) -> dict[int, _FoldScore]:
    rows = {fold: val.of_fold(fold) for fold in folds}
    return {fold: _FoldScore(score_auroc(one.table), score_balanced_loss(one)) for fold, one in rows.items()}


def _mean(scores: Iterable[float]) -> float:
    values = np.array(list(scores))
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _known(score: float) -> float:
    """The score, with an undefined one below all others."""
    return score if np.isfinite(score) else float("-inf")
