"""Temperature scaling: one number per fold, learned on its validation rows."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from mds_lightning.statistics.predictions import Predictions

#: Probabilities are kept this far from 0 before their logarithm is taken.
_SMALLEST = 1e-12
#: Bounds of the temperature: from probabilities of nearly 0 and 1 to nearly uniform ones.
_RANGE = (0.05, 20.0)


def learn_temperature(target: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """The temperature with the least cross-entropy (Guo et al., ICML 2017).

    Args:
        target: (rows,) class index.
        probabilities: (rows, classes).

    Returns:
        A temperature in [0.05, 20]; above 1 for a model whose probabilities are too extreme.
    """
    logarithms = np.log(np.clip(probabilities, _SMALLEST, 1))

    def cross_entropy(log_temperature: float) -> float:
        scaled = logarithms / np.exp(log_temperature)
        chosen = scaled[np.arange(len(target)), target]
        return float((logsumexp(scaled, axis=1) - chosen).mean())

    bounds = (float(np.log(_RANGE[0])), float(np.log(_RANGE[1])))
    return float(np.exp(minimize_scalar(cross_entropy, bounds=bounds, method="bounded").x))


def scale_probabilities(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """(rows, classes) softmax of log-probabilities over `temperature`; ranks within a row do not change."""
    logarithms = np.log(np.clip(probabilities, _SMALLEST, 1)) / temperature
    return np.exp(logarithms - logsumexp(logarithms, axis=1, keepdims=True))


def scale_folds(predictions: Predictions) -> tuple[Predictions, dict[int, float]]:
    """Scale every row by the temperature learned on the validation rows of its fold.

    Args:
        predictions: Pooled rows of images of a study.

    Returns:
        The rows with scaled probabilities, and each fold's temperature.
    """
    val = predictions.split("val")
    folds = predictions.table["fold"].to_numpy()
    probabilities = predictions.probabilities.copy()
    temperatures = {}
    for fold in np.unique(folds):
        rows = val.of_fold(int(fold))
        temperatures[int(fold)] = learn_temperature(rows.target, rows.probabilities)
        chosen = folds == fold
        probabilities[chosen] = scale_probabilities(probabilities[chosen], temperatures[int(fold)])
    columns = [f"prob_{name}" for name in predictions.classes]
    table = predictions.table.assign(**dict(zip(columns, probabilities.T, strict=True)))
    return Predictions(table, predictions.classes), temperatures
