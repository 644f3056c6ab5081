"""The rows of all folds of one variant, each test row once, checked against the fold file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mds_lightning.statistics.predictions import Predictions, Split, check_predictions, read_predictions


@dataclass(frozen=True)
class ExpectedPatients:
    """The patients that one fold's predictions must hold, according to the fold file."""

    val: frozenset[str]
    test: frozenset[str]

    @classmethod
    def of(cls, val: Collection[str], test: Collection[str]) -> "ExpectedPatients":
        """From any collections of patient ids."""
        return cls(frozenset(val), frozenset(test))

    def without(self, patients: Collection[str]) -> "ExpectedPatients":
        """Without some patients."""
        return ExpectedPatients(self.val.difference(patients), self.test.difference(patients))


def pool_folds(
    files: Mapping[int, Path], expected: Mapping[int, ExpectedPatients], allow_untested: bool = False
) -> Predictions:
    """Read and join the folds' predictions of one variant.

    Args:
        files: Fold number to its `predictions.parquet`.
        expected: Fold number to its patients; every fold of the study.
        allow_untested: Whether a fold may hold only validation rows, as in a search.

    Returns:
        All rows of all splits. Each test image occurs once, in the fold that held its patient out; external
        images occur once for every fold's model. `Predictions.untested_folds` lists the folds without either.

    Raises:
        ValueError: A fold is missing or not in the fold file, a file holds rows of another fold, its patients
            are not those of the fold file, an image is tested twice, the folds' classes or external rows
            differ.
    """
    missing = sorted(expected.keys() - files.keys())
    if missing:
        raise ValueError(f"fold {_list(missing)} of {len(expected)} is missing: train it first")
    unknown = sorted(files.keys() - expected.keys())
    if unknown:
        raise ValueError(
            f"{files[unknown[0]]}: the fold file has no fold {_list(unknown)}; remove its directory"
        )
    parts = {
        fold: check_predictions(read_predictions(file), str(file)) for fold, file in sorted(files.items())
    }
    first = parts[min(parts)]
    for fold, part in parts.items():
        if part.classes != first.classes:
            raise ValueError(
                f"{files[fold]}: classes {list(part.classes)}, "
                f"but {list(first.classes)} in {files[min(parts)]}"
            )
        splits: tuple[Split, ...] = ("val",) if allow_untested and _is_untested(part) else ("val", "test")
        _check_fold(part, fold, expected[fold], files[fold], splits)
    tested = [fold for fold, part in parts.items() if not _is_untested(part)]
    for fold in tested:
        _check_external(parts[fold], parts[tested[0]], files[fold], files[tested[0]])
    pooled = Predictions(pd.concat([part.table for part in parts.values()], ignore_index=True), first.classes)
    _check_pooled(pooled, files)
    return pooled


def _is_untested(part: Predictions) -> bool:
    return set(part.table["split"]) == {"val"}


def _check_fold(
    part: Predictions, fold: int, expected: ExpectedPatients, file: Path, splits: Collection[Split]
) -> None:
    others = sorted(set(part.table["fold"]) - {fold})
    if others:
        raise ValueError(f"{file}: holds rows of fold {_list(others)}: it is not the file of fold {fold}")
    for split in splits:
        wanted = expected.val if split == "val" else expected.test
        found = set(part.split(split).table["patient_id"])
        if found != wanted:
            extra, absent = sorted(found - wanted), sorted(wanted - found)
            raise ValueError(
                f"{file}: the {split} patients are not those of the fold file: "
                f"{len(extra)} too many ({_list(extra[:3])}), "
                f"{len(absent)} missing ({_list(absent[:3])}). "
                f"The fold file was replaced, or the run comes from another study: train fold {fold} again"
            )


def _check_external(part: Predictions, first: Predictions, file: Path, first_file: Path) -> None:
    images, expected = (set(p.split("external").table["image"]) for p in (part, first))
    if images != expected:
        differing = sorted(images ^ expected)
        raise ValueError(
            f"{file}: external images differ from those of {first_file} ({_list(differing[:3])})"
        )


def _check_pooled(pooled: Predictions, files: Mapping[int, Path]) -> None:
    test = pooled.split("test").table
    for column in ("image", "patient_id"):
        n_folds = test.groupby(column)["fold"].nunique()
        if (n_folds > 1).any():
            name = str(n_folds.index[n_folds > 1][0])
            folds = sorted(test.loc[test[column] == name, "fold"].unique())
            raise ValueError(
                f"{column} {name!r} is tested in folds {_list(folds)} "
                f"({', '.join(str(files[fold]) for fold in folds)}): each must be tested in one fold only"
            )
    internal = pooled.where(pooled.table["split"] != "external").table
    labels = internal.groupby("patient_id")["label"].nunique()
    if (labels > 1).any():
        raise ValueError(f"patient {labels.index[labels > 1][0]!r} has different labels in different folds")


def _list(items: Collection[object]) -> str:
    return ", ".join(str(item) for item in items) or "none"
