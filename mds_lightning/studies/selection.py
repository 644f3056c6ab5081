"""Selection of a variant in each fold by its validation images.

The rule, which `test`, `evaluate` and `report` share: each fold selects the variant with the largest ROC-AUC
on its own validation images; of equal ones that with the smallest class-balanced loss on these images, then
the first by name. Nothing is averaged over folds, because a validation patient of one fold is a test patient
of another. Performance is that of the selected variants on the test patients of their folds; comparisons of
variants use the patient-level ROC-AUC within folds and name as their reference the variant that most folds
select.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mds_lightning.statistics.balanced_loss import score_balanced_loss
from mds_lightning.statistics.metrics.roc_auc import score_auroc
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import UntestedError, command_to_test
from mds_lightning.studies.settings import read_settings
from mds_lightning.studies.trial_names import find_outer_fold, is_trial

#: What it means that a search was not blind; for reports.
NOT_BLIND = (
    "The search was not blind: its sampler or pruner used the validation results of all folds (or it was run "
    "with version 0.1.0, which does not record this). A validation patient of one fold is a test patient of "
    "another, so the test patients influenced which settings were tried, and the performance of the selected "
    "variants is optimistic, also where each fold selects its own variant. Settings that a blind search "
    "(sweep=hyperparameters) selects, or other patients, give a result without this bias."
)
#: What a nested search used; for reports.
NESTED = (
    "Each fold had a search of its own (search.nested): its trials were trained on the training patients of "
    "the fold and compared on its validation patients. No test patient of the fold influenced which settings "
    "were tried or selected, so the selection was blind with any sampler."
)


@dataclass(frozen=True)
class Choice:
    """The variant selected in each fold.

    Attributes:
        chosen: Fold to variant.
        scores: Variant to the mean over its folds of the ROC-AUC on validation images, largest first; shown,
            and not used for selection.
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
        """The variant that most folds select, of equal ones the first by name: reference of comparisons."""
        selected = list(self.chosen.values())
        return min(self.scores, key=lambda variant: (-selected.count(variant), variant))

    @property
    def is_nested(self) -> bool:
        """Whether each fold had a search of its own."""
        return any(find_outer_fold(variant) is not None for variant in self.chosen.values())

    @property
    def candidates(self) -> dict[int, int]:
        """Fold to the number of variants from which it selected."""
        own = [find_outer_fold(variant) for variant in self.scores]
        return {fold: sum(one is None or one == fold for one in own) for fold in self.chosen}


@dataclass(frozen=True)
class Selection(Choice):
    """A selection whose models were tested.

    Attributes:
        predictions: Rows of the variant selected in each fold, which a report is computed from.
        complete: Whether the other variants were also tested in every fold; false for a nested search, whose
            trials train one fold each.
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
    complete = not choice.is_nested and not any(one.untested_folds for one in pooled.values())
    blind = is_blind_study(study, pooled)
    return Selection(choice.chosen, choice.scores, predictions, complete, blind)


def is_blind_study(study: StudyDirectory, variants: Iterable[str]) -> bool:
    """Whether no result of a test patient influenced which variants exist.

    Always true for a grid, and for a nested search. The runs of a search record it (`hpo.blind`); those of
    version 0.1.0 do not, and count as not blind.

    Args:
        study: The study.
        variants: Names of the variants that are compared.
    """
    runs = [run for variant in variants if is_trial(variant) for run in study.runs(variant).values()]
    return all(
        run.config.is_file() and read_settings(run.config).get("hpo", {}).get("blind") is True for run in runs
    )


def choose_variants(pooled: Mapping[str, Predictions]) -> Choice:
    """Select a variant in each fold by the rule of this file; no other rows are used or needed.

    Args:
        pooled: Variant to the pooled rows of its folds; of a trial of a nested search, of its only fold.
    """
    folds = sorted({int(fold) for rows in pooled.values() for fold in rows.table["fold"].unique()})
    by_fold = {variant: _score_folds(rows) for variant, rows in pooled.items()}
    means = {variant: _mean(score.roc_auc for score in by_fold[variant].values()) for variant in pooled}
    names = sorted(pooled)
    chosen = {
        fold: max(
            (variant for variant in names if fold in by_fold[variant]),
            key=lambda variant: by_fold[variant][fold].rank,
        )
        for fold in folds
    }
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


def _score_folds(predictions: Predictions) -> dict[int, _FoldScore]:
    val = predictions.split("val")
    rows = {int(fold): val.of_fold(int(fold)) for fold in predictions.table["fold"].unique()}
    return {fold: _FoldScore(score_auroc(one.table), score_balanced_loss(one)) for fold, one in rows.items()}


def _mean(scores: Iterable[float]) -> float:
    values = np.array(list(scores))
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _known(score: float) -> float:
    """The score, with an undefined one below all others."""
    return score if np.isfinite(score) else float("-inf")
