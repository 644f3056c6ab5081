"""ROC curves for the interactive plot of the report: points with thresholds and counts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.curves.roc import AveragedRoc, RocCurve, average_vertically, trace_roc
from mds_lightning.statistics.predictions import Predictions

#: Longer curves are reduced to the points at which their direction changes.
_MOST_POINTS = 600


@dataclass(frozen=True)
class CountedCurve:
    """A ROC curve with the number of rows behind it.

    Attributes:
        name: `fold 0`, or `folds pooled`.
        roc: The curve.
        positives: Number of rows of the positive class.
        negatives: Number of all other rows.
    """

    name: str
    roc: RocCurve
    positives: int
    negatives: int

    def points(self) -> list[list[float]]:
        """[threshold, true positives, false positives] of each point; infinity is written as 2."""
        return [
            [round(min(float(t), 2.0), 6), round(float(y) * self.positives), round(float(x) * self.negatives)]
            for x, y, t in zip(
                self.roc.false_positive_rate, self.roc.true_positive_rate, self.roc.threshold, strict=True
            )
        ]


@dataclass(frozen=True)
class CurveFamily:
    """The ROC curves of one class at one level: per fold, macro average, and pooled.

    Attributes:
        title: For example `MDS against donor, patient level`.
        rows: What the counts are of: `patients` or `images`.
        folds: Curves of the folds that have both positive and negative rows.
        pooled: Curve of the rows of all folds.
        average: Macro average of the folds; None for fewer than two.
    """

    title: str
    rows: str
    folds: tuple[CountedCurve, ...]
    pooled: CountedCurve
    average: AveragedRoc | None


def trace_families(levels: dict[str, Predictions]) -> Iterator[CurveFamily]:
    """Yield a family for each level and each class that has both positive and negative rows.

    Args:
        levels: Level (`patient`, `image`) to held-out rows.
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
    return CountedCurve(name, _drop_collinear(roc), hits, others)


def _drop_collinear(roc: RocCurve) -> RocCurve:
    """The curve without points that lie on a straight line between their neighbours.

    Short curves keep every point, so that the report shows the threshold of every row.
    """
    if len(roc.threshold) <= _MOST_POINTS:
        return roc
    x, y = roc.false_positive_rate, roc.true_positive_rate
    turn = np.diff(x)[:-1] * np.diff(y)[1:] - np.diff(x)[1:] * np.diff(y)[:-1]
    kept = np.concatenate([[True], np.abs(turn) > 1e-12, [True]])
    return RocCurve(x[kept], y[kept], roc.threshold[kept], roc.auc)
