"""What a run has trained, opened again: its model, and proof of which patients that has seen."""

import json
from typing import Any

from mds_lightning.cohort.folds import Folds
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.studies.layout import RunDirectory


def refuse_other_patients(run: RunDirectory, fold: int, cohort: Cohort, folds: Folds) -> None:
    """Raise unless `run` was trained in this fold of this split of this cohort.

    Otherwise its model may have been trained on the patients that it is to be tested on.

    Raises:
        ValueError: With what differs.
    """
    if not run.provenance.is_file():
        raise ValueError(
            f"{run.provenance} is missing: nobody can tell which patients the model was trained on; train "
            "the fold again"
        )
    record: dict[str, Any] = json.loads(run.provenance.read_text())
    expected = {"cohort_hash": cohort.hash, "folds_hash": folds.hash, "fold": fold}
    different = [key for key, value in expected.items() if record.get(key) != value]
    if different:
        lines = [f"  {key}: {record.get(key)} when it was trained, {expected[key]} now" for key in different]
        raise ValueError(
            f"{run.path} was trained on other patients, perhaps on those that it is to be tested on:\n"
            + "\n".join(lines)
            + f"\nRestore the manifest and {run.path.parents[1] / 'folds.json'}, or train the fold again."
        )


def load_trained(run: RunDirectory, classes: tuple[str, ...]) -> SmearClassifier:
    """Load the model of a run's best epoch, on the CPU.

    Not from the run's settings: weights that training began with may be far away by now.

    Args:
        run: Where it lies.
        classes: That it has to tell apart.

    Raises:
        ValueError: The checkpoint is damaged, or of another task.
    """
    try:
        model = SmearClassifier.load_from_checkpoint(
            run.best_checkpoint, map_location="cpu", weights_only=True
        )
    except Exception as error:  # torch raises many kinds for a file that is damaged.
        raise ValueError(
            f"{run.best_checkpoint} cannot be loaded ({str(error).splitlines()[0]}): restore it, or delete "
            f"{run.path} and train the fold again"
        ) from error
    assert isinstance(model, SmearClassifier)
    if model.classes != classes:
        raise ValueError(
            f"{run.best_checkpoint} tells {', '.join(model.classes)} apart, and {run.config} "
            f"{', '.join(classes)}: restore what belongs together, or train the fold again"
        )
    return model
