"""The checkpoint of a run: the patients its model was trained on, and its weights."""

from mds_lightning.cohort.folds import Folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.provenance import read_provenance


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
        model = SmearClassifier.load_from_checkpoint(
            run.best_checkpoint, map_location="cpu", weights_only=True
        )
    except Exception as error:  # torch raises many kinds of errors for a damaged file.
        raise ValueError(
            f"{run.best_checkpoint} cannot be loaded ({str(error).splitlines()[0]}): restore it, or delete "
            f"{run.path} and train the fold again"
        ) from error
    assert isinstance(model, SmearClassifier)
    if model.classes != classes:
        raise ValueError(
            f"{run.best_checkpoint} has the classes {', '.join(model.classes)}, but {run.config} has "
            f"{', '.join(classes)}: restore the matching files, or train the fold again"
        )
    return model
