"""External patients, predicted by every fold's model and by the ensemble, compared with held-out patients."""

from dataclasses import dataclass

import pandas as pd

from mds_lightning.statistics.predictions import Predictions

#: Fold number of rows that no single fold's model predicted.
ENSEMBLE = -1


@dataclass(frozen=True)
class ExternalComparison:
    """The rows of one estimate of external patients.

    Attributes:
        patients: Which patients these are, as tables and reports call them.
        predictions: The rows; external patients occur once for every fold's model, or once for the ensemble.
        average_folds: Whether metrics are computed within each fold and averaged.
    """

    patients: str
    predictions: Predictions
    average_folds: bool


def ensemble_external(predictions: Predictions) -> Predictions:
    """The external rows with the mean of all folds' probabilities, one row per image.

    Args:
        predictions: Pooled rows of a study.
    """
    external = predictions.split("external").table
    columns = [f"prob_{name}" for name in predictions.classes]
    mean = external.groupby("image", sort=False)[columns].mean()
    first = external.drop_duplicates("image").set_index("image").assign(fold=ENSEMBLE)
    first[columns] = mean
    return Predictions(first.reset_index()[external.columns], predictions.classes)


def compare_external(predictions: Predictions) -> list[ExternalComparison]:
    """The estimates that the external patients of a study allow; empty without any.

    External patients of all classes of the task are evaluated by themselves. Those of fewer classes are
    compared with the held-out internal patients of the other classes: in each fold the patients that its
    model has not seen; for the ensemble of all models, each internal patient as predicted by the model that
    has not seen the patient.

    Args:
        predictions: Pooled rows of a study.
    """
    external = predictions.split("external")
    if external.table.empty:
        return []
    inside = [name for name in predictions.classes if (external.table["label"] == name).any()]
    others = [name for name in predictions.classes if name not in inside]
    test = predictions.split("test")
    rest = test.where(test.table["label"].isin(others))
    name = "external " + " and ".join(inside)
    against = f" vs held-out internal {' and '.join(others)}" if others else ""
    folds = len(external.table["fold"].unique())
    ensemble = _join(ensemble_external(predictions), rest)
    return [
        ExternalComparison(f"{name}{against}, mean over {folds} folds' models", _join(external, rest), True),
        ExternalComparison(
            f"{name} by the ensemble of {folds} models{against}",
            Predictions(ensemble.table.assign(fold=ENSEMBLE), ensemble.classes),
            False,
        ),
    ]


def _join(one: Predictions, other: Predictions) -> Predictions:
    return Predictions(pd.concat([one.table, other.table], ignore_index=True), one.classes)
