"""What `evaluate` and `report` compute for a variant that was trained with several seeds."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from rich.table import Table

from mds_lightning.reporting.tables.estimate_tables import write_csv
from mds_lightning.reporting.tables.seed_evidence import SeedEvidence, gather_seed_evidence, show_seeds
from mds_lightning.statistics.estimates import Settings
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibrated_levels import recalibrate_levels
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.stored_recalibration import read_recalibrations
from mds_lightning.studies.study import Study

log = logging.getLogger(__name__)


def read_seed_evidence(
    study: StudyDirectory,
    variant: str,
    by_seed: Mapping[int | None, Predictions],
    ensemble: pd.DataFrame,
    settings: Settings,
) -> SeedEvidence | None:
    """Results of each seed of a variant; None for one seed.

    Args:
        study: The study.
        variant: Name of the variant.
        by_seed: Seed to its pooled rows, as predicted (see `studies.pooled_rows.read_seeds`).
        ensemble: The estimates of the ensemble.
        settings: Settings of the estimates.

    Raises:
        ValueError: See `read_recalibrations`.
    """
    how = settings.aggregation
    levels: dict[int, Mapping[Level, Predictions]] = {}
    for seed, rows in by_seed.items():
        if seed is None or len(by_seed) < 2:
            return None
        if constant := rows.constant_folds:
            log.warning(
                "%s, seed %d: all images have the same probability in fold %s: the model has not learned",
                *(variant, seed, ", ".join(map(str, constant))),
            )
        recalibrations = read_recalibrations(study.runs(variant, seed), rows, how)
        recalibrated = recalibrate_levels(rows, how, recalibrations)
        levels[seed] = {level: one.split("test") for level, one in recalibrated.items()}
    return gather_seed_evidence(levels, ensemble, settings)


def gather_seeds(study: Study, settings: Settings) -> dict[str, SeedEvidence]:
    """Results of the seeds of each variant that was trained with several.

    Raises:
        ValueError: See `Study.pooled`.
    """
    found = {}
    for variant, by_seed in study.by_seed.items():
        if len(by_seed) > 1:
            ensemble = study.metrics(variant, settings)
            one = read_seed_evidence(study.directory, variant, by_seed, ensemble, settings)
            assert one is not None, "there are several seeds"
            found[variant] = one
    return found


def write_seed_results(
    study: StudyDirectory, variant: str, seeds: SeedEvidence, classes: tuple[str, ...]
) -> tuple[list[Path], list[Table | str]]:
    """Write the tables of the seeds; return the files, and a table for a terminal."""
    folder = study.evaluation / variant
    files = [
        write_csv(seeds.seeds, folder / "seeds.csv"),
        write_csv(seeds.summary, folder / "seed_summary.csv"),
    ]
    title = f"{study.path.name}, {variant}"
    components = [
        f"{title}, {name}: standard deviation of the mean of the seeds from the choice of test patients "
        f"{one.patients**0.5:.3f}, from the folds' training patients {one.folds**0.5:.3f}, from the seeds "
        f"{one.seeds**0.5:.3f}"
        for name, one in seeds.variances.items()
    ]
    return files, [show_seeds(seeds, title, classes), *components]
