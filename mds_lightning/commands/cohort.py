"""The cohort, the task and the folds that a configuration asks for."""

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from mds_lightning.cohort.folds import Folds, load_or_make_folds
from mds_lightning.cohort.manifest import Cohort, read_cohort
from mds_lightning.cohort.task import Task, make_task
from mds_lightning.commands.simulate import locate_manifest, locate_root
from mds_lightning.studies.layout import StudyDirectory


@dataclass(frozen=True)
class OpenedCohort:
    """What a study is about: its images, the classes it tells apart, and who tests whom."""

    cohort: Cohort
    task: Task
    folds: Folds


def open_cohort(config: DictConfig) -> OpenedCohort:
    """Read the manifest (a simulated one is drawn where missing) and the folds (made where missing).

    Args:
        config: `conf/train.yaml`.

    Raises:
        CohortError: The manifest has faults.
        FoldError: The study's folds.json belongs to another cohort or split.
        ValueError: The task or the simulation is ill defined.
    """
    task = make_task(**config.task)
    cohort = read_cohort(locate_manifest(config), task, locate_root(config), config.folds.n_splits)
    study = StudyDirectory(Path(config.paths.runs) / config.study)
    return OpenedCohort(cohort, task, load_or_make_folds(study.folds, cohort, **config.folds))
