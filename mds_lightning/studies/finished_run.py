"""A finished run opened again: its cohort, its fold and its model, those it was trained with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mds_lightning.cohort.folds import Fold, FoldError, Folds, load_or_make_folds
from mds_lightning.cohort.manifest import Cohort, read_cohort
from mds_lightning.cohort.path_or_url import File, Folder, locate_file, locate_folder
from mds_lightning.cohort.task import Task, make_task
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.input_size import input_size
from mds_lightning.data.loading_parameters import LoadingParameters
from mds_lightning.data.stain_normalization import choose_stain
from mds_lightning.data.undecodable_images import read_skip_list
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.studies.checkpoint import load_trained, refuse_other_patients
from mds_lightning.studies.cohort_files import find_manifest
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.pooled_rows import command_to_continue
from mds_lightning.studies.settings import read_settings


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """One fold of one variant, ready to be asked.

    Attributes:
        directory: Of the run.
        settings: Its resolved configuration.
        folds: Of the study.
        fold: Of the run.
        datamodule: Its images; none is augmented.
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


def open_run(
    path: Path, manifest: str | None = None, root: str | None = None, device: str = "auto"
) -> OpenedRun:
    """Open a finished run.

    Args:
        path: `runs/<study>/<variant>/fold-<k>`.
        manifest: Where the manifest is now; None: where the run says.
        root: Where the images are now, likewise.
        device: Where the model goes: `auto`, `cpu`, `cuda` or `cuda:<n>`.

    Raises:
        ValueError: There is no such run; it is unfinished; its checkpoint, its manifest or the study's folds
            are gone, damaged or no longer those it was trained with; there is no such device.
    """
    run, study = RunDirectory(path), StudyDirectory(path.resolve().parent.parent)
    _refuse_unfinished(run, study)
    settings = read_settings(run.config)
    task = make_task(**settings["task"])
    where, images = _find_cohort(run, study, settings, manifest, root)
    cohort = read_cohort(where, task, images, settings["folds"]["n_splits"])
    if not study.folds.is_file():
        raise FoldError(f"{study.folds} is missing: restore it; it says whom the model did not see")
    folds = load_or_make_folds(study.folds, cohort, **settings["folds"])
    fold = folds.fold(settings["fold"])
    refuse_other_patients(run, settings["fold"], cohort, folds)
    data = dict(settings["data"])
    reference = data.pop("stain_reference", None)
    data["stain"] = choose_stain(data.get("stain"), reference, data["max_pixels"])
    is_squeezed, on_error = data.get("view") != "tiles", data.get("on_error", "raise")
    size = input_size(cohort, data.pop("image_size"), data["max_pixels"], None, on_error, is_squeezed)
    listed = run.path / "skipped.csv"
    names = read_skip_list(listed) if listed.is_file() else frozenset()
    skipped = [row for row, image in enumerate(cohort.table["image"]) if image in names]
    loading, seed = LoadingParameters(size=size, **data), settings["seed"]
    datamodule = SmearDataModule(
        cohort, task, fold, loading, AugmentationParameters(), "natural", seed, None, skipped
    )
    model = load_trained(run, task.classes).to(find_device(device)).eval()
    return OpenedRun(run, settings, folds, fold, datamodule, model)


def find_device(name: str) -> torch.device:
    """`auto` (a GPU where there is one), or a name of torch's.

    Raises:
        ValueError: There is none of that name.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device={name}: choose auto, cpu, cuda or cuda:<number>") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device={name}: there are {torch.cuda.device_count()} GPUs here; choose auto or cpu"
        )
    return device


def _refuse_unfinished(run: RunDirectory, study: StudyDirectory) -> None:
    if StudyDirectory(run.path).folds.is_file():
        raise ValueError(f"run={run.path} is a study: give study={run.path}, or one of its folds as run=")
    if not run.config.is_file():
        raise ValueError(
            f"run={run.path} is no run (it holds no config.yaml): give the directory of a fold, such as "
            "run=runs/demo/resnet18/fold-0"
        )
    if run.read_done() is None:
        raise ValueError(
            f"run={run.path} is not finished (no done.json). "
            f"Go on with: {command_to_continue(study, {0: run})}"
        )
    if not run.best_checkpoint.is_file():
        raise ValueError(
            f"{run.best_checkpoint} is missing: restore it, or delete {run.path} and train the fold again"
        )


def _find_cohort(
    run: RunDirectory, study: StudyDirectory, settings: dict[str, Any], manifest: str | None, root: str | None
) -> tuple[File, Folder | None]:
    """The manifest, and the folder of the images where it is not the manifest's own."""
    known = find_manifest(study, run) if manifest is None else None
    found = known.path if known is not None else None
    if manifest is not None:
        found = locate_file(manifest, "cohort.manifest")
    if found is None:
        named = settings["cohort"]["manifest"] or "the simulated cohort"
        raise ValueError(
            f"{named}, on which {run.path} was trained, is not where {run.config} says: give its place with "
            "cohort.manifest=FILE (and cohort.root=DIR), or start from the folder in which it was trained"
        )
    if root is not None:
        return found, locate_folder(root, "cohort.root")
    then = settings["cohort"]["root"]
    if then is None or manifest is not None:
        return found, None
    folder = locate_folder(then, "cohort.root")
    if not isinstance(folder, Path):
        return found, folder
    places = [Path(), *study.path.parents]
    return found, next((place / folder for place in places if (place / folder).is_dir()), folder)
