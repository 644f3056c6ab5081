"""From a patient's images to the patient."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.predictions import Predictions

Aggregation = Literal["mean", "median", "majority", "log_odds"]

#: float32's distance to 1: a probability nearer to 0 or 1 than this carries no more evidence.
_SMALLEST = float(np.finfo(np.float32).eps)


def aggregate_patients(predictions: Predictions, how: Aggregation = "mean") -> Predictions:
    """One row a patient (and fold, and split) instead of one an image.

    Args:
        predictions: Rows of images.
        how: `mean` of the probabilities; `median` of each class's probability, scaled to add up to 1;
            `majority`: the share of images decided for each class (the largest probability; the first class
            on a tie); `log_odds`: softmax of the mean log-probability, so that one certain image weighs more.

    Returns:
        `image` holds the patient's id; a patient of several sites keeps the first.

    Raises:
        ValueError: `how` is none of the four.
    """
    if how not in get_args(Aggregation):
        raise ValueError(f"aggregation is {how!r}: choose one of {', '.join(get_args(Aggregation))}")
    keys = ["fold", "split", "patient_id"]
    group = predictions.table.groupby(keys, sort=False).ngroup().to_numpy()
    first = predictions.table.drop_duplicates(keys).reset_index(drop=True)
    per_image = _evidence(predictions.probabilities, how)
    if how == "median":
        frame = pd.DataFrame(per_image).groupby(group).median()
        evidence = frame.to_numpy(np.float64)
    else:
        count = np.bincount(group, minlength=len(first))
        evidence = np.stack([np.bincount(group, column, len(first)) for column in per_image.T], axis=1)
        evidence = evidence / count[:, None]
    if how == "log_odds":
        evidence = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    if how in ("median", "log_odds"):
        evidence = evidence / evidence.sum(axis=1, keepdims=True)
    columns = [f"prob_{name}" for name in predictions.classes]
    table = first.assign(image=first["patient_id"], **dict(zip(columns, evidence.T, strict=True)))
    return Predictions(table, predictions.classes)


def _evidence(probabilities: NDArray[np.float64], how: Aggregation) -> NDArray[np.float64]:
    if how == "majority":
        decided = probabilities.argmax(axis=1)
        return np.eye(probabilities.shape[1])[decided]
    if how == "log_odds":
        return np.log(np.clip(probabilities, _SMALLEST, 1 - _SMALLEST))
    return probabilities
