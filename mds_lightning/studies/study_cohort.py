"""The cohort, the task and the folds of a study."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.cohort.cohort_parameters import CohortLocation
from mds_lightning.cohort.finding_kinds import IGNORABLE
from mds_lightning.cohort.folds import FoldError, Folds, load_or_make_folds
from mds_lightning.cohort.manifest import Cohort, read_cohort
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import Task, TaskParameters, make_task
from mds_lightning.studies.cohort_files import (
    UNNAMED,
    CohortFiles,
    prepare_cohort_files,
    require_cohort_files,
)
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import read_provenance
from mds_lightning.studies.run_lock import is_locked
from mds_lightning.studies.settings import read_settings

log = logging.getLogger(__name__)


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

    Folds of another cohort or split are made again if every start with them ended before its first epoch.

    Args:
        settings: Settings of `mds-lightning train`.

    Raises:
        CohortError: The manifest has faults.
        FoldError: The study's folds.json belongs to another cohort or split.
        ValueError: The task or the simulation is ill defined.
    """
    study = StudyDirectory(Path(settings["paths"]["runs"]) / settings["study"])
    files = prepare_cohort_files(settings)
    try:
        return _read(settings, files, study)
    except FoldError as error:
        if not _is_left_over(study):
            raise
        study.folds.unlink(missing_ok=True)
        log.warning("%s\nNo epoch was trained with these folds: they are made again", error)
        return _read(settings, files, study)


def reopen_study_cohort(
    study: StudyDirectory, run: RunDirectory, location: CohortLocation = UNNAMED
) -> StudyCohort:
    """Read the manifest and the folds with which a run was trained.

    Args:
        study: The study.
        run: One of its runs.
        location: Paths or URLs of the manifest and the images that the user names.

    Raises:
        CohortError: The manifest has faults.
        FoldError: The study's folds.json is missing, or belongs to another cohort or split.
        ValueError: The manifest is not found.
    """
    files = require_cohort_files(study, run, location)
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


def _is_left_over(study: StudyDirectory) -> bool:
    """Whether the fold file belongs to starts of this study that all ended before their first epoch.

    A file that was copied from another study, or is damaged, is never taken for one.
    """
    try:
        written = json.loads(study.folds.read_text(encoding="utf-8"))["hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    runs = study.every_run()
    started = any(read_provenance(run.provenance).get("folds_hash") == written for run in runs)
    return started and not any(run.is_begun() or is_locked(run.path) for run in runs)
