"""The cohort, the task and the folds of a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.cohort.finding_kinds import IGNORABLE
from mds_lightning.cohort.folds import FoldError, Folds, load_or_make_folds
from mds_lightning.cohort.manifest import Cohort, read_cohort
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import Task, TaskParameters, make_task
from mds_lightning.studies.cohort_files import CohortFiles, prepare_cohort_files, require_cohort_files
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.settings import read_settings


@dataclass(frozen=True)
class StudyCohort:
    """Cohort, task and folds of a study.

    Attributes:
        cohort: Images and patients.
        task: The classes.
        folds: The patients that each fold trains, validates and tests on.
    """

    cohort: Cohort
    task: Task
    folds: Folds


def prepare_study_cohort(settings: Mapping[str, Any]) -> StudyCohort:
    """Read the manifest and the folds; a simulated cohort is drawn, and the folds are made, if missing.

    Args:
        settings: Settings of `mds-lightning train`.

    Raises:
        CohortError: The manifest has faults.
        FoldError: The study's folds.json belongs to another cohort or split.
        ValueError: The task or the simulation is ill defined.
    """
    study = StudyDirectory(Path(settings["paths"]["runs"]) / settings["study"])
    return _read(settings, prepare_cohort_files(settings), study)


def reopen_study_cohort(
    study: StudyDirectory, run: RunDirectory, manifest: str | None = None, root: str | None = None
) -> StudyCohort:
    """Read the manifest and the folds with which a run was trained.

    Args:
        study: The study.
        run: One of its runs.
        manifest: Path or URL of the manifest if it was moved.
        root: Path or URL of the folder of the images if it was moved.

    Raises:
        CohortError: The manifest has faults.
        FoldError: The study's folds.json is missing, or belongs to another cohort or split.
        ValueError: The manifest is not found.
    """
    files = require_cohort_files(study, run, manifest, root)
    if not study.folds.is_file():
        raise FoldError(f"{study.folds} is missing: restore it; it lists the patients of each fold")
    return _read(read_settings(run.config), files, study)


def _read(settings: Mapping[str, Any], files: CohortFiles, study: StudyDirectory) -> StudyCohort:
    task = make_task(TaskParameters(**settings["task"]))
    # Runs that were trained before the setting was added had none of these checks.
    ignored = settings["cohort"].get("ignore", IGNORABLE)
    cohort = read_cohort(files.manifest, task, files.root, settings["folds"]["n_splits"], ignored)
    folds = load_or_make_folds(study.folds, cohort, SplitParameters(**settings["folds"]))
    return StudyCohort(cohort, task, folds)
