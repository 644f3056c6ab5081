"""Thresholds chosen on validation patients and applied unchanged to test and external patients."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.curves.roc import trace_roc
from mds_lightning.statistics.predictions import Predictions


@dataclass(frozen=True)
class Rule:
    """How a threshold is chosen on a ROC curve.

    Attributes:
        sensitivity: Take the highest threshold with at least this sensitivity, in (0, 1]; None: take the one
            with the largest Youden index, sensitivity + specificity - 1 (the highest of equal ones).
    """

    sensitivity: float | None = None

    def __post_init__(self) -> None:
        if self.sensitivity is not None and not 0 < self.sensitivity <= 1:
            raise ValueError(
                f"sensitivity is {self.sensitivity}: give a fraction between 0 and 1, such as 0.95"
            )

    @classmethod
    def youden(cls) -> Self:
        """The rule of the largest Youden index."""
        return cls(None)

    @property
    def name(self) -> str:
        """As tables and reports call it."""
        return "Youden index" if self.sensitivity is None else f"sensitivity at least {self.sensitivity:g}"


def choose_threshold(is_positive: NDArray[np.bool_], score: NDArray[np.float64], rule: Rule) -> float:
    """The threshold of `rule`: half-way between the last score that is predicted positive and the next one.

    Infinite where predicting no row as positive is best.

    Args:
        is_positive: (rows,).
        score: (rows,) 0..1.
        rule: How the threshold is chosen.

    Raises:
        ValueError: All rows are of one class.
    """
    curve = trace_roc(is_positive, score)
    if rule.sensitivity is None:
        # Rounding errors must not decide between points with the same index.
        place = int(np.argmax(np.round(curve.true_positive_rate - curve.false_positive_rate, 12)))
    else:
        place = int(np.argmax(curve.true_positive_rate >= rule.sensitivity - 1e-12))
    bounds = np.append(curve.threshold, 0.0)
    if place == 0:
        return float("inf")
    return float((bounds[place] + bounds[place + 1]) / 2)


def choose_fold_thresholds(predictions: Predictions, rule: Rule) -> dict[int, float]:
    """The threshold of each fold's model on that fold's validation rows.

    Args:
        predictions: Pooled rows of a binary study, of images or patients.
        rule: How the threshold is chosen.

    Returns:
        Fold to threshold, without folds whose validation rows are all of one class.
    """
    assert predictions.is_binary, "operating points are for two classes"
    val = predictions.split("val")
    thresholds = {}
    for fold in np.unique(val.table["fold"]):
        rows = val.of_fold(int(fold))
        positive = rows.target == 1
        if positive.any() and not positive.all():
            thresholds[int(fold)] = choose_threshold(positive, rows.probabilities[:, 1], rule)
    return thresholds


def apply_thresholds(predictions: Predictions, thresholds: dict[int, float]) -> Predictions:
    """Replace probabilities by predictions: 1 for the positive class from the fold's threshold on, else 0.

    Args:
        predictions: Rows of folds that have a threshold.
        thresholds: Fold to threshold.

    Raises:
        ValueError: A row's fold has no threshold.
    """
    fold = predictions.table["fold"]
    unknown = sorted(set(fold) - thresholds.keys())
    if unknown:
        raise ValueError(f"fold {unknown[0]} has no threshold: its validation rows are all of one class")
    positive = (predictions.probabilities[:, 1] >= fold.map(thresholds).to_numpy(float)).astype(float)
    columns = [f"prob_{name}" for name in predictions.classes]
    table = predictions.table.assign(**{columns[0]: 1 - positive, columns[1]: positive})
    return Predictions(table, predictions.classes)
