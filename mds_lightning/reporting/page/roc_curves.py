"""ROC curves for a page that answers to the pointer: corners with their thresholds and counts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.curves.roc import AveragedRoc, RocCurve, average_vertically, trace_roc
from mds_lightning.statistics.predictions import Predictions

#: Longer curves are drawn by their corners alone.
_MOST_POINTS = 600


@dataclass(frozen=True)
class CountedCurve:
    """A ROC curve whose points say how many rows lie behind them.

    Attributes:
        name: `fold 0`, or `folds pooled`.
        roc: Its corners.
        positives: Rows of the class.
        negatives: Rows of the others.
    """

    name: str
    roc: RocCurve
    positives: int
    negatives: int

    def points(self) -> list[list[float]]:
        """[threshold, true positives, false positives] of each corner; the infinite threshold is 2."""
        return [
            [round(min(float(t), 2.0), 6), round(float(y) * self.positives), round(float(x) * self.negatives)]
            for x, y, t in zip(
                self.roc.false_positive_rate, self.roc.true_positive_rate, self.roc.threshold, strict=True
            )
        ]


@dataclass(frozen=True)
class CurveFamily:
    """The curves of one class at one level: each fold's, their macro average, and the pooled one.

    Attributes:
        title: `MDS vs donor, patient level`.
        rows: What a point counts: `patients` or `images`.
        folds: Folds with rows of both sides.
        pooled: All folds' rows together.
        average: Of the folds; None for fewer than two.
    """

    title: str
    rows: str
    folds: tuple[CountedCurve, ...]
    pooled: CountedCurve
    average: AveragedRoc | None


def trace_families(levels: dict[str, Predictions]) -> Iterator[CurveFamily]:
    """Yield the families of each level and each scored class that has rows of both sides.

    Args:
        levels: `patient` and `image` to held-out rows.
    """
    for level, predictions in levels.items():
        classes = predictions.classes
        for name in classes[1:] if len(classes) == 2 else classes:
            k = classes.index(name)
            positive, score = predictions.target == k, predictions.probabilities[:, k]
            if positive.all() or not positive.any():
                continue
            fold = predictions.table["fold"].to_numpy()
            folds = tuple(
                _count(f"fold {number}", positive[fold == number], score[fold == number])
                for number in np.unique(fold)
                if 0 < positive[fold == number].mean() < 1
            )
            against = classes[0] if len(classes) == 2 else "all others"
            average = average_vertically([one.roc for one in folds]) if len(folds) > 1 else None
            yield CurveFamily(
                f"{name} against {against}, {level} level",
                {"patient": "patients", "image": "images"}[level],
                folds,
                _count("folds pooled", positive, score),
                average,
            )


def _count(name: str, positive: NDArray[np.bool_], score: NDArray[np.float64]) -> CountedCurve:
    roc = trace_roc(positive, score)
    hits, others = int(positive.sum()), int((~positive).sum())
    return CountedCurve(name, _keep_corners(roc), hits, others)


def _keep_corners(roc: RocCurve) -> RocCurve:
    """The curve without points on a straight line between their neighbours: the same drawing, less of it.

    Short curves keep every point, so that every row has its threshold on the page.
    """
    if len(roc.threshold) <= _MOST_POINTS:
        return roc
    x, y = roc.false_positive_rate, roc.true_positive_rate
    turn = np.diff(x)[:-1] * np.diff(y)[1:] - np.diff(x)[1:] * np.diff(y)[:-1]
    kept = np.concatenate([[True], np.abs(turn) > 1e-12, [True]])
    return RocCurve(x[kept], y[kept], roc.threshold[kept], roc.auc)
