"""Who came in, who was left out and why, and which patients each fold trained, chose and tested on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from mds_lightning.cohort.manifest_cells import clean_cells
from mds_lightning.cohort.manifest_table import read_table
from mds_lightning.cohort.path_or_url import File
from mds_lightning.statistics.predictions import Predictions


@dataclass(frozen=True)
class Count:
    """A number of patients with their images; `name` says which."""

    name: str
    patients: int
    images: int


@dataclass(frozen=True)
class CohortFlow:
    """From the manifest to the rows that estimates rest on.

    Attributes:
        manifest: Everyone in the manifest; None where it is not to be had.
        left_out: Labels that the task does not name.
        unreadable: Images that could not be decoded and were left out (`data.on_error=skip`), with the
            patients that they are of; None where there are none.
        internal: Of each class: patients who are split into folds, each held out once.
        external: Of each class: patients who train no model and are predicted by every fold's.
    """

    manifest: Count | None
    left_out: tuple[Count, ...]
    unreadable: Count | None
    internal: tuple[Count, ...]
    external: tuple[Count, ...]

    @property
    def studied(self) -> Count:
        """Internal patients of all classes."""
        return _add("held out once each", self.internal)

    @property
    def outside(self) -> Count:
        """External patients of all classes."""
        return _add("external", self.external)


def count_flow(predictions: Predictions, manifest: File | None, skipped: Collection[str] = ()) -> CohortFlow:
    """Count patients and images.

    Args:
        predictions: Pooled rows of one variant.
        manifest: The file that the study was trained on, if it is there.
        skipped: Images that its runs left out because they could not be decoded.
    """
    internal = _count_classes(predictions.split("test").table, predictions.classes)
    external = _count_classes(predictions.split("external").table, predictions.classes)
    if manifest is None:
        return CohortFlow(None, (), None, internal, external)
    rows, _ = clean_cells(read_table(manifest).frame, str(manifest))
    others = [label for label in sorted(rows["label"].unique()) if label not in predictions.classes]
    left_out = _count_classes(rows, tuple(others))
    everyone = Count("in the manifest", rows["patient_id"].nunique(), rows["image"].nunique())
    lost = rows[rows["image"].isin(list(skipped))]
    unreadable = Count("unreadable", lost["patient_id"].nunique(), len(lost)) if len(lost) else None
    return CohortFlow(everyone, left_out, unreadable, internal, external)


def count_folds(patients: Mapping[str, str], folds: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Patients of each class in each part of each fold.

    Args:
        patients: patient_id to label.
        folds: fold, patient_id, part.
        classes: Of the task.

    Returns:
        Columns fold, then `<part>: <class>`.
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


def _count_classes(rows: pd.DataFrame, classes: tuple[str, ...]) -> tuple[Count, ...]:
    found = []
    for name in classes:
        part = rows[rows["label"] == name]
        if len(part):
            found.append(Count(name, part["patient_id"].nunique(), part["image"].nunique()))
    return tuple(found)


def _add(name: str, counts: tuple[Count, ...]) -> Count:
    return Count(name, sum(one.patients for one in counts), sum(one.images for one in counts))
