"""The rows of all folds of one variant, each test row once; whatever does not fit the split is refused."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mds_lightning.statistics.predictions import Predictions, Split, check_predictions, read_predictions


@dataclass(frozen=True)
class ExpectedPatients:
    """Who has to be in one fold's predictions, from the fold file."""

    val: frozenset[str]
    test: frozenset[str]

    @classmethod
    def of(cls, val: Collection[str], test: Collection[str]) -> "ExpectedPatients":
        """From any collections of patient ids."""
        return cls(frozenset(val), frozenset(test))

    def without(self, patients: Collection[str]) -> "ExpectedPatients":
        """The others."""
        return ExpectedPatients(self.val.difference(patients), self.test.difference(patients))


def pool_folds(
    files: Mapping[int, Path], expected: Mapping[int, ExpectedPatients], allow_untested: bool = False
) -> Predictions:
    """Read and join the folds' predictions of one variant.

    Args:
        files: Fold number to its `predictions.parquet`.
        expected: Fold number to its patients; every fold of the study.
        allow_untested: Whether a fold may hold validation rows alone, as in a search.

    Returns:
        All rows of all splits. Rows of `test` are those of each patient's held-out fold, once; external rows
        are there once for every fold's model. `Predictions.untested_folds` names the folds without them.

    Raises:
        ValueError: A fold is missing or too many, a file is another fold's, its patients are not those of the
            fold file, an image is tested twice, the folds' classes or external rows differ.
    """
    missing = sorted(expected.keys() - files.keys())
    if missing:
        raise ValueError(f"fold {_list(missing)} of {len(expected)} is missing: train it first")
    foreign = sorted(files.keys() - expected.keys())
    if foreign:
        raise ValueError(
            f"{files[foreign[0]]}: the fold file has no fold {_list(foreign)}; remove its directory"
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
        raise ValueError(f"{file}: holds rows of fold {_list(others)}; it belongs elsewhere")
    for split in splits:
        wanted = expected.val if split == "val" else expected.test
        found = set(part.split(split).table["patient_id"])
        if found != wanted:
            strange, absent = sorted(found - wanted), sorted(wanted - found)
            raise ValueError(
                f"{file}: the {split} patients are not those of the fold file: "
                f"{len(strange)} too many ({_list(strange[:3])}), "
                f"{len(absent)} missing ({_list(absent[:3])}). "
                f"The fold file was replaced, or the run comes from another study: train fold {fold} again"
            )


def _check_external(part: Predictions, first: Predictions, file: Path, first_file: Path) -> None:
    here, there = (set(p.split("external").table["image"]) for p in (part, first))
    if here != there:
        odd = sorted(here ^ there)
        raise ValueError(f"{file}: external images differ from those of {first_file} ({_list(odd[:3])})")


def _check_pooled(pooled: Predictions, files: Mapping[int, Path]) -> None:
    test = pooled.split("test").table
    for column in ("image", "patient_id"):
        spread = test.groupby(column)["fold"].nunique()
        if (spread > 1).any():
            name = str(spread.index[spread > 1][0])
            folds = sorted(test.loc[test[column] == name, "fold"].unique())
            raise ValueError(
                f"{column} {name!r} is tested in folds {_list(folds)} "
                f"({', '.join(str(files[fold]) for fold in folds)}): each must be held out once"
            )
    internal = pooled.where(pooled.table["split"] != "external").table
    labels = internal.groupby("patient_id")["label"].nunique()
    if (labels > 1).any():
        raise ValueError(f"patient {labels.index[labels > 1][0]!r} has different labels in different folds")


def _list(items: Collection[object]) -> str:
    return ", ".join(str(item) for item in items) or "none"
