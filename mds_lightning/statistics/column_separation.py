"""How well a clinical column alone, without any image, separates the classes."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.ranking import Ranking

#: Name of the column that is counted from the rows.
IMAGES_PER_PATIENT = "images per patient"
#: A column separates the classes where the lower limit of its ROC-AUC is above this.
SEPARATING = 0.7
#: Text columns with more values than this (free text, dates) are left out.
_MOST_VALUES = 12

COLUMNS = ("column", "class", "value", "low", "high", "interval", "n_patients")


def measure_separation(
    images: Predictions, clinical: pd.DataFrame | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """ROC-AUC of each clinical column, and of the number of images per patient, at patient level.

    A numerical column is used as it is, in the direction that gives at least 0.5. Categories are ordered by
    the fraction of the class among their patients, so that a column of many categories has a value somewhat
    above 0.5 by chance. Patients without a value are left out; so is a column of which a class has no value.

    Args:
        images: Held-out rows of images.
        clinical: Clinical columns with patient_id as index, or None.
        confidence: Of the intervals, which are Newcombe's.

    Returns:
        `COLUMNS`; one row for each column and scored class (the positive one of two).
    """
    counted = images.table.groupby("patient_id").agg(
        target=("target", "first"), **{IMAGES_PER_PATIENT: ("image", "size")}
    )
    columns = [counted[IMAGES_PER_PATIENT]]
    if clinical is not None:
        columns += [clinical[name].reindex(counted.index) for name in clinical]
    classes = (1,) if images.is_binary else range(len(images.classes))
    rows = []
    for values in columns:
        known = values.notna()
        if not _is_numeric(values) and values.nunique() > _MOST_VALUES:
            continue
        for k in classes:
            positive = (counted["target"] == k)[known].to_numpy()
            if not positive.any() or positive.all():
                continue
            auc = _measure(values[known], positive)
            sizes = int(positive.sum()), int((~positive).sum())
            interval = newcombe_interval(auc, *sizes, confidence)
            limits = (interval.low, interval.high, interval.method)
            rows.append((str(values.name), images.classes[k], auc, *limits, len(positive)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _is_numeric(values: "pd.Series[Any]") -> bool:
    return bool(pd.api.types.is_numeric_dtype(values)) and not pd.api.types.is_bool_dtype(values)


def _measure(values: "pd.Series[Any]", positive: NDArray[np.bool_]) -> float:
    if _is_numeric(values):
        score = values.to_numpy(float)
    else:
        score = pd.Series(positive).groupby(values.astype(str).to_numpy()).transform("mean").to_numpy(float)
    ranking = Ranking.of(positive, score, np.arange(len(score)))
    correct, total = ranking.pairs(np.ones((1, len(score))))
    auc = float(correct[0] / total[0])
    return max(auc, 1 - auc)
