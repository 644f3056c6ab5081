"""The checkpoint of a run: the patients its model was trained on, and its weights."""

from dataclasses import fields
from pathlib import Path

from mds_lightning.cohort.folds import Folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.studies.checkpoint_io import AtomicCheckpointIO
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.provenance import read_provenance

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
        ValueError: The checkpoint is damaged, or has other classes.
    """
    try:
        model = _restore(run.best_checkpoint)
    except Exception as error:  # A damaged file raises many kinds of errors.
        raise ValueError(
            f"{run.best_checkpoint} cannot be loaded ({str(error).splitlines()[0]}): restore it, or delete "
            f"{run.path} and train the fold again"
        ) from error
    if model.classes != classes:
        raise ValueError(
            f"{run.best_checkpoint} has the classes {', '.join(model.classes)}, but {run.config} has "
            f"{', '.join(classes)}: restore the matching files, or train the fold again"
        )
    return model


def _restore(path: Path) -> SmearClassifier:
    """The classifier of a checkpoint.

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
    return model
