"""Read access to a study for scripts and notebooks: folds, rows, metrics, maps and images."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.cohort.cohort_parameters import CohortLocation
from mds_lightning.cohort.folds import read_folds
from mds_lightning.cohort.image_files import file_inside
from mds_lightning.data.decode import decode_image
from mds_lightning.maps.importance_map import ImportanceMap
from mds_lightning.statistics.estimates import Settings, estimate_levels
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibrated_levels import RECALIBRATED, recalibrate_levels
from mds_lightning.studies.cohort_files import UNNAMED, find_cohort_files
from mds_lightning.studies.fold_run import FoldRun
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.manifest_rows import ManifestRows, read_manifest_rows
from mds_lightning.studies.pooled_rows import (
    HELD_OUT,
    UntestedError,
    average_variants,
    command_to_test,
    read_seeds,
)
from mds_lightning.studies.selection import Selection, select_variants
from mds_lightning.studies.stored_recalibration import read_recalibrations, read_study_recalibrations


@dataclass(frozen=True)
class Study:
    """A study; `mds_lightning.load_study(path)` opens one.

    Methods with an argument `variant` accept None if the study has one variant only. The argument `seed` is
    one of several seeds. Without it, rows and metrics are those of the ensemble of all seeds (see
    `statistics.ensemble`), and runs and maps those of the first seed.
    """

    directory: StudyDirectory
    location: CohortLocation = UNNAMED

    @property
    def variants(self) -> list[str]:
        """Backbones, or trials of a search."""
        return self.directory.variants()

    @cached_property
    def folds(self) -> pd.DataFrame:
        """The split: fold, patient_id, part (`train`, `val` or `test`).

        Raises:
            FoldError: The fold file is damaged or was edited.
        """
        return pd.DataFrame(
            [
                (fold.index, patient, part)
                for fold in read_folds(self.directory.folds)
                for part in ("train", "val", "test")
                for patient in getattr(fold, part)
            ],
            columns=["fold", "patient_id", "part"],
        )

    def seeds(self, variant: str | None = None) -> list[int]:
        """The seeds of a variant that is trained with several; empty for one seed."""
        return self.directory.seeds(self._name(variant))

    def fold(self, index: int, variant: str | None = None, seed: int | None = None) -> FoldRun:
        """One fold of a variant; the other folds need not be trained.

        Raises:
            ValueError: The fold was not started, or there is no such seed.
        """
        variant = self._name(variant)
        runs = {run.index: run.directory for run in self.runs(variant, seed)}
        if index not in runs:
            raise ValueError(
                f"{self.directory.run(variant, index, seed).path.parent} has no fold {index}; "
                f"there are {', '.join(map(str, runs)) or 'none'}"
            )
        return FoldRun(variant, index, runs[index])

    def runs(self, variant: str | None = None, seed: int | None = None) -> list[FoldRun]:
        """Every fold of a variant that was started.

        Raises:
            ValueError: There is no such seed.
        """
        variant = self._name(variant)
        if seed is not None and seed not in self.seeds(variant):
            there = ", ".join(map(str, self.seeds(variant))) or "one seed only: leave seed out"
            raise ValueError(f"{self.directory.path / variant} has no seed {seed}; there are {there}")
        return [FoldRun(variant, index, run) for index, run in self.directory.runs(variant, seed).items()]

    def fold_of_seeds(self, index: int, variant: str | None = None) -> list[FoldRun]:
        """One fold of a variant with each of its seeds.

        Raises:
            ValueError: See `fold`.
        """
        seeds: list[int | None] = [*self.seeds(variant)]
        return [self.fold(index, variant, seed) for seed in seeds or [None]]

    @cached_property
    def pooled(self) -> dict[str, Predictions]:
        """Variant to the pooled rows of its folds; trials of a search may have validation rows alone.

        Raises:
            ValueError: A fold is unfinished or does not match the split; see `studies.pooled_rows.read_runs`.
        """
        return average_variants(self.by_seed)

    @cached_property
    def by_seed(self) -> dict[str, dict[int | None, Predictions]]:
        """Variant to seed to the pooled rows of its folds; the seed is None for a variant with one seed.

        Raises:
            ValueError: See `pooled`.
        """
        return read_seeds(self.directory)

    @cached_property
    def selection(self) -> Selection:
        """The variant selected in each fold on its validation images, and its rows: the study's result.

        Raises:
            ValueError: See `pooled`.
            UntestedError: A selected trial was not tested.
        """
        return select_variants(self.directory, self.pooled)

    def rows(self, variant: str | None = None, seed: int | None = None) -> pd.DataFrame:
        """Rows of all folds, checked against the split: each internal image is in `test` once.

        Raises:
            ValueError: See `pooled`.
            UntestedError: The variant is a trial that was not tested.
        """
        return self._tested(variant, seed).table

    def metrics(
        self, variant: str | None = None, settings: Settings | None = None, seed: int | None = None
    ) -> pd.DataFrame:
        """Every metric of the held-out patients with intervals, at image and at patient level.

        Computed from the probabilities recalibrated in each fold, as by `evaluate`.

        Args:
            variant: Name of the variant.
            settings: Aggregation, resamples, confidence and seed; None: the defaults of `evaluate`.
            seed: One of several seeds; None: their ensemble.

        Returns:
            Columns of `statistics.estimates.COLUMNS`, and probabilities: `recalibrated`.
        """
        settings, predictions = settings or Settings(), self._tested(variant, seed)
        name, how = self._name(variant), settings.aggregation
        if seed is None:
            variants = dict.fromkeys(self.directory.runs(name), name)
            recalibrations = read_study_recalibrations(self.directory, variants, predictions, how)
        else:
            recalibrations = read_recalibrations(self.directory.runs(name, seed), predictions, how)
        levels = recalibrate_levels(predictions, settings.aggregation, recalibrations)
        test = {level: rows.split("test") for level, rows in levels.items()}
        return estimate_levels(test, HELD_OUT, settings).assign(probabilities=RECALIBRATED)

    def maps(self, variant: str | None = None, seed: int | None = None) -> Iterator[ImportanceMap]:
        """Importance maps of all folds of a variant and of every method, one at a time."""
        for run in self.runs(variant, seed):
            yield from run.maps()

    @cached_property
    def _manifest(self) -> ManifestRows:
        run = self.runs(self.variants[0])[0]
        files = find_cohort_files(self.directory, run.directory, self.location)
        rows = None if files is None else read_manifest_rows(files, self.selection.predictions)
        if rows is None:
            raise ValueError(
                f"the manifest of {self.directory.path} is not where {run.directory.config} says, or has "
                "changed: restore it, or start from the folder in which the study was trained"
            )
        return rows

    @property
    def manifest(self) -> pd.DataFrame:
        """Rows of the manifest for the study's patients, with all clinical columns.

        Raises:
            ValueError: The manifest is missing, or has changed.
        """
        return self._manifest.table

    def image(self, name: str) -> NDArray[np.uint8]:
        """Pixels of an image of the manifest at its original size, uint8 (H, W, 3), RGB."""
        path = file_inside(self._manifest.root, name)
        if path is None:
            raise ValueError(
                f"{name!r} is not an image in {self._manifest.root}: give a name of its manifest"
            )
        return decode_image(path)

    def _tested(self, variant: str | None, seed: int | None = None) -> Predictions:
        name = self._name(variant)
        if seed is not None:
            self.runs(name, seed)  # refuses a seed that is not there
            return self.by_seed[name][seed]
        if name not in self.pooled:
            raise ValueError(f"{self.directory.path / name} has not finished every fold (pruned or failed?)")
        untested = self.pooled[name].untested_folds
        if untested:
            raise UntestedError(
                f"{name} was not tested in fold {', '.join(map(str, untested))}: "
                f"{command_to_test(self.directory, every=True)} (`fold(k, {name!r}).rows` has its validation "
                "rows, `selection` the rows of the selected trials)"
            )
        return self.pooled[name]

    def _name(self, variant: str | None) -> str:
        if variant is None and len(self.variants) == 1:
            return self.variants[0]
        if variant not in self.variants:
            given = "has several variants" if variant is None else f"has no variant {variant!r}"
            raise ValueError(f"{self.directory.path} {given}: give one of {', '.join(self.variants)}")
        return variant


def load_study(path: str | Path, manifest: str | None = None, root: str | None = None) -> Study:
    """Open a study directory, such as `runs/demo`.

    Args:
        path: The directory.
        manifest: Path or URL of the manifest; None: the recorded path on this machine. Addresses that a study
            recorded are not followed.
        root: Path or URL of the folder of the images, likewise.

    Raises:
        ValueError: The directory has no split or no fold.
    """
    study = Study(StudyDirectory(Path(path)), CohortLocation(manifest, root))
    if not study.directory.folds.is_file() or not study.variants:
        raise ValueError(f"{path} is not a study (no folds.json or no <variant>/fold-<k>): train one first")
    return study
