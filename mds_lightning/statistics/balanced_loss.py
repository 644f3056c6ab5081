"""Cross-entropy in which every class has the same weight, whatever its number of rows."""

import numpy as np

from mds_lightning.statistics.predictions import Predictions

#: Probabilities are stored as float32; a smaller one would give an infinite loss.
_LEAST = 1e-7


def score_balanced_loss(predictions: Predictions) -> float:
    """Mean over the classes of the mean negative log-probability of their rows, in nats.

    Args:
        predictions: Rows of images or patients; NaN if a class has none.
    """
    target = predictions.target
    loss = -np.log(np.clip(predictions.probabilities[np.arange(len(target)), target], _LEAST, 1.0))
    counts = np.bincount(target, minlength=len(predictions.classes))
    if not counts.all():
        return float("nan")
    return float((np.bincount(target, loss, minlength=len(counts)) / counts).mean())
