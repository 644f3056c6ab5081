"""The one interval that tables and pages show of each estimate: the kind that covers best there.

`benchmarks/coverage.py` measures it. Proportions of patients: Wilson, as few patients leave few different
values for resamples to take. A ROC-AUC of patients who are all in order: Newcombe, as resamples see no
spread. All else: the bootstrap over patients, BCa.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from mds_lightning.statistics.intervals.bootstrap import BCA
from mds_lightning.statistics.intervals.newcombe import NEWCOMBE
from mds_lightning.statistics.intervals.wilson import WILSON

#: For captions.
KINDS = "bootstrap over patients, stratified by class, BCa; of proportions of patients Wilson's"
#: Limits closer than this have no width: they would look like certainty.
NARROWEST = 1e-12

_KEYS = ["patients", "level", "metric", "of"]
_LIMITS = ["low", "high", "interval", "note"]


def choose_headlines(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each estimate, in the table's order, with the interval to show.

    Args:
        table: Of `statistics.estimates.estimate`; of operating points those of one rule.
    """
    chosen = table[table["interval"] == BCA].copy()
    others = {
        kind: {_key(row): row for row in table[table["interval"] == kind].to_dict("records")}
        for kind in (WILSON, NEWCOMBE)
    }
    for index, row in zip(chosen.index, chosen.to_dict("records"), strict=True):
        better = others[WILSON].get(_key(row))
        if better is None and not row["high"] - row["low"] > NARROWEST:
            better = others[NEWCOMBE].get(_key(row))
        if better is not None and better["high"] - better["low"] > NARROWEST:
            chosen.loc[index, _LIMITS] = [better[name] for name in _LIMITS]
    return chosen


def _key(row: Mapping[Hashable, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEYS)
