"""The columns of `predictions.parquet` and their checks. `pooled_predictions` joins the folds of a study."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_float_dtype, is_integer_dtype, is_string_dtype

Split = Literal["val", "test", "external"]

#: Columns that every row has beside `prob_<class>`.
COLUMNS = ("image", "patient_id", "site", "fold", "split", "label", "target")
_PREFIX = "prob_"
_NUMBER = "whole numbers", is_integer_dtype
_TEXT = "text", is_string_dtype
#: Probabilities are stored as float32, possibly computed in half precision.
_TOLERANCE = 2e-3


@dataclass(frozen=True)
class Predictions:
    """Checked rows, one per image (or one per patient after `aggregate_patients`).

    Attributes:
        table: `COLUMNS` and `prob_<class>` for every class; RangeIndex.
        classes: Names in the order of `target`; of two classes the second is the positive one.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """(rows, classes), 0..1."""
        return self.table[[f"{_PREFIX}{name}" for name in self.classes]].to_numpy(np.float64)

    @property
    def target(self) -> NDArray[np.int64]:
        """(rows,) index into `classes`."""
        return self.table["target"].to_numpy(np.int64)

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes."""
        return len(self.classes) == 2

    def where(self, rows: "pd.Series[bool] | NDArray[np.bool_]") -> Self:
        """The rows for which `rows` is true."""
        return replace(self, table=self.table[np.asarray(rows, bool)].reset_index(drop=True))

    @property
    def untested_folds(self) -> list[int]:
        """Folds without predictions of test images, as in a search."""
        return sorted(set(self.table["fold"]) - set(self.table.loc[self.table["split"] == "test", "fold"]))

    @property
    def constant_folds(self) -> list[int]:
        """Folds whose model gives all its images the same probabilities: it has learned nothing."""
        columns = [f"{_PREFIX}{name}" for name in self.classes]
        varies = self.table.groupby("fold")[columns].agg(np.ptp).gt(0).any(axis=1)
        return sorted(int(fold) for fold in varies.index[~varies])

    def split(self, split: Split) -> Self:
        """The rows of one split."""
        return self.where(self.table["split"] == split)

    def of_fold(self, fold: int) -> Self:
        """The rows that the model of one fold predicted."""
        return self.where(self.table["fold"] == fold)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read one fold's `predictions.parquet` and check it by `check_predictions`.

    Raises:
        ValueError: The file is missing, or its rows fail `check_predictions`.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing: train the fold again")
    try:
        table = pd.read_parquet(path)
    except Exception as error:  # PyArrow raises errors of many classes for a damaged file.
        said = str(error).strip().splitlines()
        raise ValueError(
            f"{path} is damaged ({said[0] if said else type(error).__name__}): restore it, or delete the "
            "folder of its run and train the fold again"
        ) from error
    return check_predictions(table, str(path)).table


def check_predictions(table: pd.DataFrame, source: str) -> Predictions:
    """Return `table` as `Predictions` after checking it row by row.

    Args:
        table: `COLUMNS` and `prob_<class>` for at least two classes, in the order of `target`.
        source: File the table came from, for the messages.

    Raises:
        ValueError: A column is missing; a value is missing; `target` is not the index of `label`; a
            probability is NaN or outside 0..1; a row's probabilities do not add up to 1; a patient has two
            labels or is in two splits; an image occurs twice.
    """
    missing = [name for name in COLUMNS if name not in table]
    classes = tuple(str(name).removeprefix(_PREFIX) for name in table if str(name).startswith(_PREFIX))
    if missing or len(classes) < 2:
        absent = ", ".join(missing) or "prob_<class> for at least two classes"
        raise ValueError(f"{source}: column {absent} is missing: it is no file of predictions")
    if not table.columns.is_unique:
        raise ValueError(f"{source}: a column occurs twice: it is no file of predictions")
    table = table[[*COLUMNS, *(f"{_PREFIX}{name}" for name in classes)]].reset_index(drop=True)
    for column in COLUMNS:
        _refuse(table, table[column].isna(), source, f"has no {column}")
    _check_types(table, classes, source)
    _refuse(table, ~table["split"].isin(["val", "test", "external"]), source, "has an unknown split")
    _check_target(table, classes, source)
    _check_probabilities(table, classes, source)
    _refuse(table, table.duplicated(["image", "fold"]), source, "occurs twice")
    for column in ("label", "split"):
        several = table.groupby(["patient_id", "fold"])[column].transform("nunique") > 1
        _refuse(table, several, source, f"belongs to a patient with more than one {column}")
    return Predictions(table, classes)


def _check_types(table: pd.DataFrame, classes: tuple[str, ...], source: str) -> None:
    for column in COLUMNS:
        kind, is_valid = _NUMBER if column in ("fold", "target") else _TEXT
        if len(table) and not is_valid(table[column]):
            raise ValueError(f"{source}: column {column} does not hold {kind}: it is no file of predictions")
    for column in (f"{_PREFIX}{name}" for name in classes):
        if not is_float_dtype(table[column]):
            raise ValueError(f"{source}: column {column} does not hold numbers: it is no file of predictions")


def _check_target(table: pd.DataFrame, classes: tuple[str, ...], source: str) -> None:
    target = table["target"]
    inside = target.isin(range(len(classes)))
    named = pd.Series(
        [classes[int(k)] if ok else None for k, ok in zip(target, inside, strict=True)], dtype=object
    )
    wrong = ~inside | (named != table["label"])
    _refuse(table, wrong, source, f"has a target that is not the index of its label in {list(classes)}")


def _check_probabilities(table: pd.DataFrame, classes: tuple[str, ...], source: str) -> None:
    values = table[[f"{_PREFIX}{name}" for name in classes]].to_numpy(np.float64)
    unfinite = pd.Series(~np.isfinite(values).all(axis=1))
    _refuse(table, unfinite, source, "has a probability that is NaN or infinite: its training diverged")
    outside = pd.Series(((values < 0) | (values > 1)).any(axis=1))
    _refuse(table, outside, source, "has a probability outside 0..1")
    total = pd.Series(np.abs(values.sum(axis=1) - 1) > _TOLERANCE)
    _refuse(table, total, source, "has probabilities that do not add up to 1")


def _refuse(table: pd.DataFrame, wrong: "pd.Series[bool]", source: str, fault: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy(bool))[0])
        image, patient = table.loc[row, "image"], table.loc[row, "patient_id"]
        raise ValueError(
            f"{source}: row {row} (image {image!r}, patient {patient!r}) "
            f"{fault}; {int(wrong.sum())} of {len(table)} rows do"
        )
