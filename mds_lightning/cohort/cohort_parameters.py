"""The settings `cohort` of a configuration."""

from collections.abc import Sequence
from dataclasses import dataclass

from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters


@dataclass(frozen=True)
class CohortLocation:
    """Where a manifest and its images are.

    Attributes:
        manifest: Path or URL (s3://bucket/smears/manifest.csv) of a CSV or Parquet table with the columns
            image, patient_id and label; null: the simulated cohort.
        root: Folder or URL that the column image is relative to; null: the folder of the manifest.
    """

    manifest: str | None = None
    root: str | None = None


@dataclass(frozen=True)
class CohortParameters(CohortLocation):
    """The settings `cohort`.

    Attributes:
        directory: Folder of the simulated cohort; null: a folder in paths.data that is named by a hash of the
            parameters.
        simulation: What is simulated where there is no manifest; null: nothing.
        ignore: Codes of findings in the manifest that are known to be wrong, such as [MDS028].
    """

    directory: str | None = None
    simulation: SimulationParameters | None = None
    ignore: Sequence[str] = ()
