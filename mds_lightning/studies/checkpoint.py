"""The checkpoint of a run: the patients its model was trained on, and its weights."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from mds_lightning.cohort.damaged_file import DamagedFileError, reading
from mds_lightning.cohort.folds import Folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.studies.checkpoint_io import AtomicCheckpointIO
from mds_lightning.studies.checkpoint_origin import ORIGIN, list_differences
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.provenance import read_provenance
from mds_lightning.studies.recorded_files import AlteredRunError, verify_file

#: Arguments of `SmearClassifier` that a checkpoint holds.
HYPERPARAMETERS = {"backbone", "classes", "class_weights", *(field.name for field in fields(Hyperparameters))}


def refuse_other_patients(run: RunDirectory, fold: int, cohort: Cohort, folds: Folds) -> None:
    """Raise unless a run was trained with this fold, this split and this cohort.

    Otherwise its model may have been trained on the patients on which it is to be tested.

    Args:
        run: The run.
        fold: Number of the fold.
        cohort: The cohort as it is now.
        folds: The folds as they are now.

    Raises:
        ValueError: With each difference.
    """
    record = read_provenance(run.provenance)
    if not record:
        raise ValueError(
            f"{run.provenance} is missing, so the patients that the model was trained on are not known: "
            "restore it, or train the fold again"
        )
    expected = {"cohort_hash": cohort.hash, "folds_hash": folds.hash, "fold": fold}
    different = [key for key, value in expected.items() if record.get(key) != value]
    if different:
        lines = [f"  {key}: {record.get(key)} when it was trained, {expected[key]} now" for key in different]
        raise ValueError(
            f"{run.path} was trained on other patients, perhaps on those on which it is to be tested:\n"
            + "\n".join(lines)
            + f"\nRestore the manifest and {run.study.folds}, or train the fold again."
        )


def load_checkpoint(run: RunDirectory, classes: tuple[str, ...]) -> SmearClassifier:
    """Load the model of a run's best epoch to the CPU.

    The architecture is read from the checkpoint and not from the settings of the run, since the pretrained
    weights that they name may no longer exist.

    Args:
        run: The run.
        classes: Classes of the task, in the order of their targets.

    Raises:
        AlteredRunError: It is not the checkpoint that was recorded, or that of another run.
        DamagedFileError: It cannot be loaded, or has NaN or infinite weights.
        ValueError: It has other classes.
    """
    verify_file(run, run.best_checkpoint)
    remedy = f"restore it, or delete {run.path} and train the fold again"
    with reading(run.best_checkpoint, remedy):
        model, origin = _restore(run.best_checkpoint)
    if differences := list_differences(origin, read_provenance(run.provenance)):
        raise AlteredRunError(
            f"{run.best_checkpoint} is the checkpoint of another run ({'; '.join(differences)})", remedy
        )
    for name, values in model.state_dict().items():
        if values.is_floating_point() and not values.isfinite().all():
            raise DamagedFileError(f"{run.best_checkpoint} holds NaN or infinite weights ({name})", remedy)
    if model.classes != classes:
        raise ValueError(
            f"{run.best_checkpoint} has the classes {', '.join(model.classes)}, but {run.config} has "
            f"{', '.join(classes)}: restore the matching files, or train the fold again"
        )
    return model


def _restore(path: Path) -> tuple[SmearClassifier, dict[str, Any]]:
    """The classifier of a checkpoint and its origin.

    Lightning's `load_from_checkpoint` passes every stored hyperparameter to the class, also `pretrained`,
    which downloads, and `weights`, which reads a file.
    """
    content = AtomicCheckpointIO().load_checkpoint(path)
    stored = content["hyper_parameters"]
    unknown = sorted(map(str, stored.keys() - HYPERPARAMETERS))
    if unknown:
        raise ValueError(f"it has unknown hyperparameters: {', '.join(unknown)}")
    model = SmearClassifier(**stored)
    model.on_load_checkpoint(content)
    model.load_state_dict(content["state_dict"])
    return model, dict(content.get(ORIGIN, {}))
