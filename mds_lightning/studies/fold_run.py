"""Read access to one fold of a study: settings, curves, rows and maps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mds_lightning.maps.importance_map import ImportanceMap
from mds_lightning.maps.map_file import read_map
from mds_lightning.statistics.predictions import read_predictions
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.provenance import read_provenance
from mds_lightning.studies.recorded_files import verify_file
from mds_lightning.studies.recorded_maps import find_maps
from mds_lightning.studies.run_table import read_run_table
from mds_lightning.studies.settings import read_settings


@dataclass(frozen=True)
class FoldRun:
    """One fold of one variant, finished or not."""

    variant: str
    index: int
    directory: RunDirectory

    @property
    def seed(self) -> int | None:
        """The seed, if the variant is trained with several; else None."""
        return self.directory.seed

    @property
    def done(self) -> dict[str, Any] | None:
        """val_auroc, epochs, seconds and explain_seconds; None while the fold is unfinished."""
        return self.directory.read_done()

    @property
    def settings(self) -> dict[str, Any]:
        """The resolved configuration."""
        return read_settings(self.directory.config)

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, hashes, seed and command."""
        return read_provenance(self.directory.provenance)

    @property
    def curves(self) -> pd.DataFrame:
        """Learning curves, one row per epoch: epoch, train/... and val/...."""
        table = read_run_table(self.directory, self.directory.metrics)
        # The last row of the file is of the test and not of an epoch.
        kept = [name for name in table if str(name).startswith(("train/", "val/"))]
        return table[["epoch", *kept]].dropna(subset=kept, how="all").reset_index(drop=True)

    @property
    def rows(self) -> pd.DataFrame:
        """One row per image, checked: image, patient_id, site, fold, split, label, target, prob_<class>."""
        verify_file(self.directory, self.directory.predictions)
        return read_predictions(self.directory.predictions)

    @property
    def skipped(self) -> list[str]:
        """Images that were skipped because they could not be decoded."""
        file = self.directory.skipped
        return read_run_table(self.directory, file, ["image"])["image"].tolist() if file.is_file() else []

    def maps(self) -> Iterator[ImportanceMap]:
        """Importance maps of every method, one at a time (each holds a map of full size for every class)."""
        files = find_maps([self.directory])
        return (read_map(file) for several in files.values() for file in several)
