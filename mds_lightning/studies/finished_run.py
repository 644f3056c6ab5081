"""A finished run with its cohort, fold, datamodule and model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mds_lightning.cohort.cohort_parameters import CohortLocation
from mds_lightning.cohort.folds import Fold, Folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.task import Task
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.studies.checkpoint import load_checkpoint, refuse_other_patients
from mds_lightning.studies.cohort_files import UNNAMED
from mds_lightning.studies.continuation import command_to_continue
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.located_settings import locate_settings
from mds_lightning.studies.run_components import build_datamodule
from mds_lightning.studies.study_cohort import reopen_study_cohort


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """One finished fold of one variant.

    Attributes:
        directory: Directory of the run.
        settings: Its resolved settings.
        folds: Folds of the study.
        fold: Fold of the run.
        datamodule: Its images, which are decoded when they are requested.
        model: With the weights of the best epoch, in evaluation mode.
    """

    directory: RunDirectory
    settings: dict[str, Any]
    folds: Folds
    fold: Fold
    datamodule: SmearDataModule
    model: SmearClassifier

    @property
    def cohort(self) -> Cohort:
        """Images and patients."""
        return self.datamodule.cohort

    @property
    def task(self) -> Task:
        """The classes."""
        return self.datamodule.task


def open_finished_run(path: Path, location: CohortLocation = UNNAMED, device: str = "auto") -> FinishedRun:
    """Open a finished run.

    Args:
        path: `runs/<study>/<variant>/fold-<k>`, or `runs/<study>/<variant>/seed-<s>/fold-<k>`.
        location: Paths or URLs of the manifest and the images that the user names.
        device: Device of the model: `auto`, `cpu`, `cuda` or `cuda:<n>`.

    Raises:
        ValueError: There is no such run; it is unfinished; its checkpoint, its manifest or the study's folds
            are missing, damaged or no longer those it was trained with; there is no such device.
    """
    run, study = RunDirectory(path), RunDirectory(path.resolve()).study
    _refuse_unfinished(run, study)
    settings = locate_settings(study, run)
    opened = reopen_study_cohort(study, run, location)
    fold = opened.folds.fold(settings["fold"])
    refuse_other_patients(run, fold.index, opened.cohort, opened.folds)
    datamodule = build_datamodule(settings, run, opened, fold, use_cache=False)
    model = load_checkpoint(run, opened.task.classes).to(find_device(device)).eval()
    return FinishedRun(run, settings, opened.folds, fold, datamodule, model)


def find_device(name: str) -> torch.device:
    """The device of a name; `auto`: a GPU if there is one, else the CPU.

    Raises:
        ValueError: There is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device={name}: choose auto, cpu, cuda or cuda:<number>") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device={name}: this machine has {torch.cuda.device_count()} GPUs; choose auto or cpu"
        )
    return device


def _refuse_unfinished(run: RunDirectory, study: StudyDirectory) -> None:
    if StudyDirectory(run.path).folds.is_file():
        raise ValueError(f"run={run.path} is a study: give study={run.path}, or one of its folds as run=")
    if not run.config.is_file():
        raise ValueError(
            f"run={run.path} is no run (it has no config.yaml): give the directory of a fold, such as "
            "run=runs/demo/resnet18/fold-0"
        )
    if run.read_done() is None:
        raise ValueError(
            f"run={run.path} is not finished (no done.json). "
            f"Continue it with: {command_to_continue(study, {0: run})}"
        )
    if not run.best_checkpoint.is_file():
        raise ValueError(
            f"{run.best_checkpoint} is missing: restore it, or delete {run.path} and train the fold again"
        )
