"""The folds of a study: made once, stored in a file, and verified whenever they are read."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mds_lightning.cohort.atomic_file import write_once
from mds_lightning.cohort.fold_file import read_fold_record, write_fold_record
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.patient_splitting import Fold, FoldError, patient_table, split_patients
from mds_lightning.cohort.split_parameters import SplitParameters

log = logging.getLogger(__name__)

__all__ = ["Fold", "FoldError", "Folds", "load_or_make_folds", "read_folds"]


@dataclass(frozen=True)
class Folds:
    """All folds of a study, in order.

    Attributes:
        folds: The folds; `folds[k].index == k`.
        hash: SHA-256 of the content of the fold file; two studies with the same hash have the same split.
    """

    folds: tuple[Fold, ...]
    hash: str

    def __iter__(self) -> Iterator[Fold]:
        return iter(self.folds)

    def __len__(self) -> int:
        return len(self.folds)

    def fold(self, index: int) -> Fold:
        """The fold with this index.

        Raises:
            FoldError: There is no fold of this index.
        """
        if not 0 <= index < len(self.folds):
            raise FoldError(
                f"fold={index} does not exist: this study has folds 0 to {len(self.folds) - 1} "
                f"(folds.n_splits={len(self.folds)})"
            )
        return self.folds[index]


def read_folds(path: Path) -> Folds:
    """Read the folds of an existing study, and verify them: hash, indices, disjoint patients.

    Args:
        path: `folds.json` of the study.

    Raises:
        FoldError: It is not a fold file, was damaged or edited, or has a patient in two parts of a fold.
    """
    return Folds(*read_fold_record(path))


def load_or_make_folds(path: Path, cohort: Cohort, parameters: SplitParameters) -> Folds:
    """Read the folds of `path`, or split the cohort and write them if the file does not exist.

    Patients are split, never images: stratified by label, and by site if every class has a patient of every
    site for each fold; external patients are in no fold. Several processes may call this at the same time:
    one writes the file, and all read the same folds.

    Args:
        path: `folds.json` of the study.
        cohort: Its patients that are not external are split.
        parameters: The settings `folds`.

    Raises:
        FoldError: The patients cannot be split; or the file was damaged or edited, has a patient in two parts
            of a fold, or was made for another cohort or with other parameters.
    """
    if not path.exists():
        folds = split_patients(patient_table(cohort.table), **asdict(parameters))
        if write_once(path, write_fold_record(cohort, parameters, folds)):
            log.info("wrote %d folds to %s", parameters.n_splits, path)
    return Folds(*read_fold_record(path, cohort, parameters))
