"""Which variant a report is about: the one that validation patients prefer. Test patients have no part."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mds_lightning.statistics.predictions import Predictions, score_auroc


@dataclass(frozen=True)
class Selection:
    """The chosen variant.

    Attributes:
        variant: Its name.
        scores: Variant to its mean over folds of the ROC-AUC on validation images, best first.
    """

    variant: str
    scores: Mapping[str, float]


def select_variant(pooled: Mapping[str, Predictions]) -> Selection:
    """Choose by validation images alone; of equal variants the first by name.

    Args:
        pooled: Variant to the pooled rows of its folds.
    """
    scores = {variant: score_validation(rows) for variant, rows in pooled.items()}
    known = {name: -score if np.isfinite(score) else np.inf for name, score in scores.items()}
    order = sorted(scores, key=lambda name: (known[name], name))
    return Selection(order[0], {name: scores[name] for name in order})


def score_validation(predictions: Predictions) -> float:
    """Mean over folds of the ROC-AUC on validation images, without folds where it is undefined."""
    val = predictions.split("val")
    scores = [score_auroc(val.of_fold(int(fold)).table) for fold in np.unique(val.table["fold"])]
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else float("nan")
