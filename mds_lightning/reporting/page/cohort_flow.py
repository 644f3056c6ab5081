"""Flow of patients and images from the manifest to the folds, with exclusions and their reasons."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mds_lightning.cohort.manifest_cells import clean_cells
from mds_lightning.cohort.manifest_table import read_table
from mds_lightning.cohort.path_or_url import File
from mds_lightning.statistics.predictions import Predictions


@dataclass(frozen=True)
class Count:
    """Number of patients and of their images; `name` labels the group."""

    name: str
    patients: int
    images: int


@dataclass(frozen=True)
class CohortFlow:
    """Counts from the manifest to the rows that the estimates are computed from.

    Attributes:
        manifest: All patients of the manifest; None if it was not found.
        left_out: Patients by label, for labels that the task does not include.
        unreadable: Images that could not be decoded and were left out (`data.on_error=skip`), and their
            patients; None without any.
        internal: By class, patients who are split into folds, each held out once.
        external: By class, patients who are in no training set and are predicted by the model of every fold.
    """

    manifest: Count | None
    left_out: tuple[Count, ...]
    unreadable: Count | None
    internal: tuple[Count, ...]
    external: tuple[Count, ...]

    @property
    def studied(self) -> Count:
        """All internal patients."""
        return _add("internal", self.internal)

    @property
    def outside(self) -> Count:
        """All external patients."""
        return _add("external", self.external)


def count_flow(predictions: Predictions, manifest: File | None, skipped: Collection[str] = ()) -> CohortFlow:
    """Count patients and images.

    Args:
        predictions: Pooled rows of one variant.
        manifest: The manifest that the study was trained on, or None.
        skipped: Images that the runs left out because they could not be decoded.
    """
    internal = _count_classes(predictions.split("test").table, predictions.classes)
    external = _count_classes(predictions.split("external").table, predictions.classes)
    if manifest is None:
        return CohortFlow(None, (), None, internal, external)
    rows, _ = clean_cells(read_table(manifest).frame, str(manifest))
    others = [label for label in sorted(rows["label"].unique()) if label not in predictions.classes]
    left_out = _count_classes(rows, tuple(others))
    total = Count("in the manifest", rows["patient_id"].nunique(), rows["image"].nunique())
    lost = rows[rows["image"].isin(list(skipped))]
    unreadable = Count("unreadable", lost["patient_id"].nunique(), len(lost)) if len(lost) else None
    return CohortFlow(total, left_out, unreadable, internal, external)


def count_folds(patients: Mapping[str, str], folds: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Count the patients of each class in each part of each fold.

    Args:
        patients: patient_id to label.
        folds: Columns fold, patient_id and part (`train`, `val`, `test`).
        classes: Classes of the task.

    Returns:
        Columns fold, train, val and test, with counts as text: `31 donor + 30 MDS`.
    """
    table = folds.assign(label=folds["patient_id"].map(dict(patients)))
    counts = table.groupby(["fold", "part", "label"])["patient_id"].nunique()
    lines = [
        {"fold": str(fold)}
        | {
            part: " + ".join(f"{counts.get((fold, part, name), 0)} {name}" for name in classes)
            for part in ("train", "val", "test")
        }
        for fold in sorted(table["fold"].unique())
    ]
    return pd.DataFrame(lines)


def count_training_images(folds: pd.DataFrame, predictions: Predictions) -> dict[int, list[int]]:
    """Number of training images of each class in each fold.

    Args:
        folds: Columns fold, patient_id and part (`train`, `val`, `test`).
        predictions: Pooled rows of one variant, in which every internal image is a test row once.
    """
    test = predictions.split("test").table
    counted = {}
    for fold, part in folds[folds["part"] == "train"].groupby("fold"):
        target = test.loc[test["patient_id"].isin(part["patient_id"]), "target"]
        counted[int(str(fold))] = np.bincount(target, minlength=len(predictions.classes)).tolist()
    return counted


def _count_classes(rows: pd.DataFrame, classes: tuple[str, ...]) -> tuple[Count, ...]:
    found = []
    for name in classes:
        part = rows[rows["label"] == name]
        if len(part):
            found.append(Count(name, part["patient_id"].nunique(), part["image"].nunique()))
    return tuple(found)


def _add(name: str, counts: tuple[Count, ...]) -> Count:
    return Count(name, sum(one.patients for one in counts), sum(one.images for one in counts))
