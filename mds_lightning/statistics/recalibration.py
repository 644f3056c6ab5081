"""Recalibration of a fold's model on its own validation patients: class offsets and a slope.

Each fold has its own model, whose scores have their own level and scale. Pooling the folds' scores mixes them
(Forman and Scholz, SIGKDD Explorations 12, 2010, 49). Sampling the classes evenly adds an offset to every
score: the logarithm of the ratio of the classes (van den Goorbergh et al., JAMIA 29, 2022, 1525). Both are
removed here, because the offsets are learned on patients with the classes' own frequencies.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from mds_lightning.statistics.predictions import Predictions

#: Probabilities are clipped to this for learning, so that a saturated one has no unlimited influence:
#: float32's distance to 1.
_SMALLEST = float(np.finfo(np.float32).eps)
#: When a recalibration is applied, only 0 is clipped: the order of saturated probabilities stays.
_ABOVE_ZERO = float(np.finfo(np.float64).tiny)
#: Standard deviation of the normal prior on the logarithm of the slope. Of 0 (offsets only), 0.25, 0.5 and 1
#: it had the least Brier score in 8 of the 16 settings simulated in `benchmarks/recalibration.py`, and was
#: within 0.003 of the least in the others.
SLOPE_PRIOR = 0.5


@dataclass(frozen=True)
class Recalibration:
    """Softmax of the log-probabilities times `slope` plus `offsets`.

    For two classes this is logistic recalibration of the positive class's log-odds, with intercept
    `offsets[1]`.

    Attributes:
        slope: Above 0; below 1 where the model's probabilities are too extreme.
        offsets: One for each class, in the order of the classes; the first is 0.
    """

    slope: float
    offsets: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < self.slope < float("inf"):
            raise ValueError(f"the recalibration's slope is {self.slope}: give a finite number above 0")
        if not np.isfinite(self.offsets).all() or len(self.offsets) < 2 or self.offsets[0] != 0:
            raise ValueError(
                f"the recalibration's offsets are {self.offsets}: give a finite number for each class, "
                "0 for the first"
            )

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Recalibrated probabilities; of two classes, the order of the rows does not change.

        Args:
            probabilities: (rows, classes), 0..1.

        Returns:
            (rows, classes), 0..1; rows add up to 1.
        """
        logarithms = np.log(np.clip(probabilities, _ABOVE_ZERO, 1))
        scores = self.slope * logarithms + np.array(self.offsets)
        return np.exp(scores - logsumexp(scores, axis=1, keepdims=True))


def learn_recalibration(
    target: NDArray[np.int64], probabilities: NDArray[np.float64], with_slope: bool = True
) -> Recalibration:
    """The recalibration with the largest penalised likelihood on these rows.

    Targets are smoothed as Platt's (Advances in Large Margin Classifiers, 1999, 61): a row of class k counts
    as (n_k + 1) / (n_k + K), so that separated classes have a finite optimum. The logarithm of the slope has
    a normal prior around 0 (`SLOPE_PRIOR`): few rows leave it near 1.

    Args:
        target: (rows,) class index; all rows count alike, those of patients as those of images.
        probabilities: (rows, classes), 0..1.
        with_slope: Whether a slope is learned; otherwise it is 1.

    Returns:
        The recalibration; the identity where a class has no row, since its offset cannot be learned.
    """
    n_classes = probabilities.shape[1]
    counts = np.bincount(target, minlength=n_classes)
    if (counts == 0).any():
        return Recalibration(1.0, (0.0,) * n_classes)
    smoothed = np.tile((1 / (counts + n_classes))[:, None], (1, n_classes))
    np.fill_diagonal(smoothed, (counts + 1) / (counts + n_classes))
    wanted = smoothed[target]
    logarithms = np.log(np.clip(probabilities, _SMALLEST, 1))

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, offsets = np.exp(parameters[0]), np.concatenate([[0.0], parameters[1:]])
        scores = slope * logarithms + offsets
        log_probabilities = scores - logsumexp(scores, axis=1, keepdims=True)
        error = np.exp(log_probabilities) - wanted
        penalty = 0.5 * (parameters[0] / SLOPE_PRIOR) ** 2
        steepness = (error * slope * logarithms).sum() + parameters[0] / SLOPE_PRIOR**2
        gradient = np.concatenate([[steepness if with_slope else 0.0], error.sum(axis=0)[1:]])
        return float(-(wanted * log_probabilities).sum() + penalty), gradient

    fitted = minimize(loss, np.zeros(n_classes), jac=True, method="BFGS", options={"gtol": 1e-8})
    return Recalibration(float(np.exp(fitted.x[0])), (0.0, *map(float, fitted.x[1:])))


def learn_fold_recalibrations(predictions: Predictions) -> dict[int, Recalibration]:
    """The recalibration of each fold's model, from its own validation rows.

    Args:
        predictions: Pooled rows of a study, of images or of patients.

    Returns:
        Fold to recalibration.
    """
    val = predictions.split("val")
    folds = np.unique(predictions.table["fold"])
    return {int(k): learn_recalibration(*_fold_rows(val, int(k))) for k in folds}


def list_folds_without_recalibration(predictions: Predictions) -> dict[int, tuple[str, ...]]:
    """Folds whose validation rows lack a class, so that their probabilities stay as predicted.

    Args:
        predictions: Pooled rows of a study.

    Returns:
        Fold to the classes that its validation rows lack.
    """
    val = predictions.split("val")
    lacking = {}
    for fold in np.unique(predictions.table["fold"]):
        target = val.of_fold(int(fold)).target
        if absent := tuple(name for k, name in enumerate(predictions.classes) if not (target == k).any()):
            lacking[int(fold)] = absent
    return lacking


def recalibrate(predictions: Predictions, recalibrations: Mapping[int, Recalibration]) -> Predictions:
    """All rows, each recalibrated as its fold's model.

    Args:
        predictions: Rows of folds that `recalibrations` holds.
        recalibrations: Fold to recalibration.

    Raises:
        ValueError: A row's fold has no recalibration.
    """
    folds = predictions.table["fold"].to_numpy()
    unknown = sorted(set(folds.tolist()) - recalibrations.keys())
    if unknown:
        raise ValueError(f"fold {unknown[0]} has no recalibration: it has no validation rows")
    probabilities = predictions.probabilities.copy()
    for fold, recalibration in recalibrations.items():
        rows = folds == fold
        probabilities[rows] = recalibration.apply(probabilities[rows])
    columns = [f"prob_{name}" for name in predictions.classes]
    table = predictions.table.assign(**dict(zip(columns, probabilities.T, strict=True)))
    return Predictions(table, predictions.classes)


def _fold_rows(val: Predictions, fold: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows = val.of_fold(fold)
    return rows.target, rows.probabilities
