"""How patients are dealt into folds: stratified, and a function of the patients and the seed alone."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

log = logging.getLogger(__name__)


class FoldError(ValueError):
    """Patients cannot be split as asked, or a fold file does not fit the study."""


@dataclass(frozen=True)
class Fold:
    """One fold: ids of its patients, sorted.

    Attributes:
        index: 0 ... n_splits - 1.
        train: Patients to fit the weights on.
        val: Patients to choose on (early stopping, checkpoint, hyperparameters), cut from the training
            patients.
        test: Patients who are looked at once, at the end.
    """

    index: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]


def patient_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row a patient that is not external, sorted by id: label, and site (joined by + where several)."""
    internal = table[~table["external"]]
    grouped = internal.groupby("patient_id", sort=True)
    return pd.DataFrame(
        {
            "label": grouped["label"].first(),
            "site": grouped["site"].agg(lambda sites: "+".join(sorted(set(sites)))),
        }
    )


def split_patients(patients: pd.DataFrame, n_splits: int, seed: int, val_share: float) -> tuple[Fold, ...]:
    """Deal patients into test folds, and cut a validation set from the training patients of each.

    Args:
        patients: One row a patient, as `patient_table` gives it.
        n_splits: Number of folds, 2 or more.
        seed: The same seed gives the same folds, whatever the order of the manifest's rows.
        val_share: Share of each class's training patients that validate, in (0, 1); at least one of each
            class validates and at least one trains.

    Raises:
        FoldError: There are too few patients in a class, or an argument is out of its range.
    """
    if n_splits < 2:
        raise FoldError(f"folds.n_splits is {n_splits}: give 2 or more")
    if not 0 < val_share < 1:
        raise FoldError(
            f"folds.val_share is {val_share}: give a share of the training patients between 0 and 1"
        )
    for label, number in patients["label"].value_counts().items():
        if number < n_splits:
            raise FoldError(
                f"class '{label}' has fewer patients that are not external ({number}) than folds "
                f"(folds.n_splits={n_splits}): add patients, or ask for fewer folds"
            )
    strata = _strata(patients, n_splits)
    # One row a patient, not an image, so that the classes are even by patient. scikit-learn below 1.8 does
    # not stratify when it shuffles (scikit-learn issue 32478).
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
    ids = patients.index.to_numpy()
    folds = []
    for index, (train, test) in enumerate(splitter.split(ids, strata, groups=ids)):
        val = _validation(patients.iloc[train], strata.iloc[train], val_share, seed, index)
        rest = sorted(set(ids[train]) - set(val))
        folds.append(Fold(index, tuple(rest), tuple(val), tuple(sorted(ids[test]))))
    return tuple(folds)


def _strata(patients: pd.DataFrame, n_splits: int) -> pd.Series:
    """Label and site where every pair of them has a patient for each fold, else the label alone."""
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
    """Ids, sorted, of `val_share` of each class, spread evenly over its strata."""
    random = np.random.default_rng([seed, index])
    # Places in (0, 1), evenly spaced within each stratum in random order: the lowest ones of a class are then
    # dealt to its strata in proportion.
    draws = pd.Series(random.random(len(patients)), patients.index)
    within = draws.groupby(strata)
    places = (within.rank() - 0.5) / within.transform("size") + draws * 1e-9
    chosen: list[str] = []
    for label, members in places.groupby(patients["label"]):
        if len(members) < 2:
            raise FoldError(
                f"class '{label}' leaves {len(members)} training patient in fold {index}, too few to train "
                "and to validate: add patients, or ask for more folds (folds.n_splits)"
            )
        number = min(max(round(val_share * len(members)), 1), len(members) - 1)
        chosen += members.nsmallest(number).index.tolist()
    return sorted(chosen)
