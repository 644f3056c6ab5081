"""Aggregation of the probabilities of a patient's images to the patient's."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.predictions import Predictions

Aggregation = Literal["mean", "median", "majority", "log_odds"]

#: Machine epsilon of float32: probabilities are kept this far from 0 and 1 before their logarithm is taken.
_SMALLEST = float(np.finfo(np.float32).eps)


def aggregate_patients(predictions: Predictions, how: Aggregation = "mean") -> Predictions:
    """Combine the images of each patient (in each fold and split) to one row.

    Args:
        predictions: Rows of images.
        how: `mean` of the probabilities; `median` of each class's probability, scaled to add up to 1;
            `majority`: the fraction of images predicted as each class (the largest probability; the first
            class on a tie); `log_odds`: softmax of the mean log-probability, so that
            images with probabilities near 0 and 1 weigh more.

    Returns:
        One row per patient, fold and split. `image` holds the patient's id; of several sites, the first.

    Raises:
        ValueError: `how` is not one of the four.
    """
    if how not in get_args(Aggregation):
        raise ValueError(f"aggregation is {how!r}: choose one of {', '.join(get_args(Aggregation))}")
    keys = ["fold", "split", "patient_id"]
    group = predictions.table.groupby(keys, sort=False).ngroup().to_numpy()
    first = predictions.table.drop_duplicates(keys).reset_index(drop=True)
    per_image = _transform(predictions.probabilities, how)
    if how == "median":
        frame = pd.DataFrame(per_image).groupby(group).median()
        combined = frame.to_numpy(np.float64)
    else:
        count = np.bincount(group, minlength=len(first))
        combined = np.stack([np.bincount(group, column, len(first)) for column in per_image.T], axis=1)
        combined = combined / count[:, None]
    if how == "log_odds":
        combined = np.exp(combined - combined.max(axis=1, keepdims=True))
    if how in ("median", "log_odds"):
        combined = combined / combined.sum(axis=1, keepdims=True)
    columns = [f"prob_{name}" for name in predictions.classes]
    table = first.assign(image=first["patient_id"], **dict(zip(columns, combined.T, strict=True)))
    return Predictions(table, predictions.classes)


def _transform(probabilities: NDArray[np.float64], how: Aggregation) -> NDArray[np.float64]:
    if how == "majority":
        predicted = probabilities.argmax(axis=1)
        return np.eye(probabilities.shape[1])[predicted]
    if how == "log_odds":
        return np.log(np.clip(probabilities, _SMALLEST, 1 - _SMALLEST))
    return probabilities
