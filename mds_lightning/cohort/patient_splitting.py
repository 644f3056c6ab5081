"""Stratified splitting of patients into folds, a function of the patients and the seed alone."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from mds_lightning.cohort.consistency import too_few_patients
from mds_lightning.cohort.explained_error import ExplainedError

log = logging.getLogger(__name__)


class FoldError(ExplainedError):
    """Patients cannot be split as requested, or a fold file does not match the study."""


@dataclass(frozen=True)
class Fold:
    """One fold: sorted patient ids.

    Attributes:
        index: 0 ... n_splits - 1.
        train: Patients whose images the weights are fitted to.
        val: Patients used for selection (early stopping, checkpoint, hyperparameters), taken from the
            training patients.
        test: Patients used for the final evaluation only.
    """

    index: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]


def patient_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each patient that is not external, sorted by id: label, and site (several joined by +)."""
    internal = table[~table["external"]]
    grouped = internal.groupby("patient_id", sort=True)
    return pd.DataFrame(
        {
            "label": grouped["label"].first(),
            "site": grouped["site"].agg(lambda sites: "+".join(sorted(set(sites)))),
        }
    )


def split_patients(patients: pd.DataFrame, n_splits: int, seed: int, val_share: float) -> tuple[Fold, ...]:
    """Split patients into test folds, and take a validation set from the training patients of each.

    Args:
        patients: One row for each patient, as `patient_table` returns it.
        n_splits: Number of folds, 2 or more.
        seed: The same seed gives the same folds, independent of the order of rows in the manifest.
        val_share: Fraction of the training patients of each class used for validation, in (0, 1); at least
            one patient of each class is used for validation and at least one for training.

    Raises:
        FoldError: A class has too few patients, or an argument is out of its range.
    """
    if n_splits < 2:
        raise FoldError(f"folds.n_splits is {n_splits}", "give 2 or more")
    if not 0 < val_share < 1:
        raise FoldError(
            f"folds.val_share is {val_share}", "give a fraction of the training patients between 0 and 1"
        )
    for label, number in patients["label"].value_counts().items():
        if number < n_splits:
            raise FoldError(*too_few_patients(label, number, n_splits))
    strata = _strata(patients, n_splits)
    # One row for each patient instead of each image, so that classes are balanced by patient. scikit-learn
    # below 1.8 does not stratify when it shuffles (scikit-learn issue 32478).
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
    ids = patients.index.to_numpy()
    folds = []
    for index, (train, test) in enumerate(splitter.split(ids, strata, groups=ids)):
        val = _validation(patients.iloc[train], strata.iloc[train], val_share, seed, index)
        rest = sorted(set(ids[train]) - set(val))
        folds.append(Fold(index, tuple(rest), tuple(val), tuple(sorted(ids[test]))))
    return tuple(folds)


def _strata(patients: pd.DataFrame, n_splits: int) -> pd.Series:
    """Label and site if every combination has a patient for each fold, else the label alone."""
    if patients["site"].nunique() < 2:
        return patients["label"]
    pairs = patients["label"] + " at " + patients["site"]
    smallest = pairs.value_counts()
    if smallest.min() >= n_splits:
        return pairs
    log.warning(
        "folds are stratified by label but not by site: '%s' has %d patients, fewer than %d folds",
        smallest.idxmin(), smallest.min(), n_splits,
    )  # fmt: skip
    return patients["label"]


def _validation(
    patients: pd.DataFrame, strata: pd.Series, val_share: float, seed: int, index: int
) -> list[str]:
    """Sorted ids of a fraction `val_share` of each class, distributed evenly over its strata."""
    random = np.random.default_rng([seed, index])
    # Quantiles in (0, 1), evenly spaced within each stratum in random order: the smallest ones of a class are
    # then distributed over its strata in proportion.
    draws = pd.Series(random.random(len(patients)), patients.index)
    within = draws.groupby(strata)
    quantiles = (within.rank() - 0.5) / within.transform("size") + draws * 1e-9
    chosen: list[str] = []
    for label, members in quantiles.groupby(patients["label"]):
        if len(members) < 2:
            raise FoldError(
                f"class '{label}' has {len(members)} training patient in fold {index}, too few for training "
                "and validation",
                "add patients, or increase folds.n_splits",
            )
        number = min(max(round(val_share * len(members)), 1), len(members) - 1)
        chosen += members.nsmallest(number).index.tolist()
    return sorted(chosen)
