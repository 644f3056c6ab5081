"""The one interval of each estimate that tables and reports show: the kind with the best coverage.

`benchmarks/coverage.py` measures the coverage. Proportions of patients: Wilson, because resamples of few
patients take few different values. The patients' ROC-AUC within folds: Newcombe; the pooled ROC-AUC likewise
where the models rank all patients correctly, because all resamples are equal. All others: the bootstrap over
patients, BCa.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from mds_lightning.statistics.intervals.bootstrap import BCA
from mds_lightning.statistics.intervals.newcombe import NEWCOMBE
from mds_lightning.statistics.intervals.wilson import WILSON

#: In captions.
KINDS = (
    "bootstrap over patients, stratified by class, BCa; of proportions of patients Wilson's; of the "
    "patients' ROC-AUC within folds Newcombe's"
)
#: What the tables' probabilities are.
RECALIBRATED_ON = "recalibrated on each fold's validation rows of the same level"
#: The metric of the main result.
WITHIN_FOLDS = "roc_auc_within_folds"
#: An interval narrower than this is not shown: it would suggest certainty.
NARROWEST = 1e-12

_KEYS = ["patients", "level", "metric", "class"]
_LIMITS = ["low", "high", "interval", "note"]


def choose_headlines(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each estimate, in the order of the table, with the interval to show.

    Args:
        table: From `statistics.estimates.estimate`, or the operating points of one rule.
    """
    chosen = table[table["interval"] == BCA].copy()
    others = {
        kind: {_key(row): row for row in table[table["interval"] == kind].to_dict("records")}
        for kind in (WILSON, NEWCOMBE)
    }
    for index, row in zip(chosen.index, chosen.to_dict("records"), strict=True):
        better = others[WILSON].get(_key(row))
        if better is None and (row["metric"] == WITHIN_FOLDS or not row["high"] - row["low"] > NARROWEST):
            better = others[NEWCOMBE].get(_key(row))
        if better is not None and better["high"] - better["low"] > NARROWEST:
            chosen.loc[index, _LIMITS] = [better[name] for name in _LIMITS]
    return chosen


def _key(row: Mapping[Hashable, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEYS)
