"""Rows of images and of patients, recalibrated on the validation rows of the same level in each fold."""

from collections.abc import Mapping

from mds_lightning.statistics.aggregate import Aggregation, aggregate_patients
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibration import Recalibration, learn_fold_recalibrations, recalibrate

#: Level to fold to the recalibration of the fold's model.
LevelRecalibrations = Mapping[Level, Mapping[int, Recalibration]]

#: Names of the probabilities, as trained and after recalibration.
RAW, RECALIBRATED = "as predicted", "recalibrated"


def list_levels(predictions: Predictions, aggregation: Aggregation) -> dict[Level, Predictions]:
    """Rows of images, and of the same patients after aggregation, both as predicted."""
    return {"image": predictions, "patient": aggregate_patients(predictions, aggregation)}


def learn_level_recalibrations(predictions: Predictions, aggregation: Aggregation) -> LevelRecalibrations:
    """One recalibration for each level and fold.

    Args:
        predictions: Pooled rows of images of a study.
        aggregation: How the probabilities of a patient's images are combined.
    """
    levels = list_levels(predictions, aggregation)
    return {level: learn_fold_recalibrations(rows) for level, rows in levels.items()}


def recalibrate_levels(
    predictions: Predictions, aggregation: Aggregation, recalibrations: LevelRecalibrations
) -> dict[Level, Predictions]:
    """All rows of images and of patients, recalibrated. Patients are aggregated first.

    Args:
        predictions: Pooled rows of images of a study.
        aggregation: How the probabilities of a patient's images are combined.
        recalibrations: Of both levels, for every fold.

    Raises:
        ValueError: A fold has no recalibration.
    """
    levels = list_levels(predictions, aggregation)
    return {level: recalibrate(rows, recalibrations[level]) for level, rows in levels.items()}
