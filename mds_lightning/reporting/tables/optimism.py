"""Selection of a variant on validation data, compared with optimistic selection on test data."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from rich import box
from rich.table import Table

from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.metrics.roc_auc import score_auroc
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.selection import Selection


def claim_on_test(patients: Mapping[str, Predictions], selection: Selection) -> pd.DataFrame:
    """Patient-level ROC-AUC of four ways to select a variant.

    Args:
        patients: Variant to its held-out patients; may be empty if `selection.complete` is false.
        selection: The selection on validation images.

    Returns:
        Columns choice, roc_auc and optimistic. Rows: selection in each fold on validation images; best
        variant on the pooled test patients; best variant on each test fold; mean of all variants. Only the
        first row if not all variants were tested. After a search that was not blind, all rows are optimistic.
    """
    validated = score_auroc(aggregate_patients(selection.predictions.split("test")).table)
    columns = ["choice", "roc_auc", "optimistic"]
    rows = [("in each fold on its validation images", validated, not selection.blind)]
    if not selection.complete:
        return pd.DataFrame(rows, columns=columns)
    pooled = {variant: score_auroc(rows.table) for variant, rows in patients.items()}
    by_fold = [
        max(
            (rows.of_fold(fold) for rows in patients.values()), key=lambda one: _known(score_auroc(one.table))
        )
        for fold in selection.chosen
    ]
    folds = score_auroc(pd.concat([one.table for one in by_fold]))
    best = max(pooled, key=lambda variant: _known(pooled[variant]))
    rows += [
        (f"best variant on all test patients ({best})", pooled[best], True),
        ("best variant on each test fold", folds, True),
        ("no selection: mean of all variants", float(np.nanmean(list(pooled.values()))), not selection.blind),
    ]
    return pd.DataFrame(rows, columns=columns)


def show_claim(claim: pd.DataFrame) -> Table:
    """The comparison as a table for the terminal."""
    shown = Table(
        "selection of the variant", "patient ROC-AUC", "", box=box.SIMPLE_HEAD, title="Effect of selection"
    )
    shown.title_justify = "left"
    for row in claim.to_dict("records"):
        shown.add_row(row["choice"], f"{row['roc_auc']:.3f}", "optimistic" if row["optimistic"] else "")
    return shown


def _known(score: float) -> float:
    return score if np.isfinite(score) else float("-inf")
