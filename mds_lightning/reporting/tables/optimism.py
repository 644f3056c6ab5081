"""Selection of a variant on validation data, compared with optimistic selection on test data."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from rich import box
from rich.table import Table

from mds_lightning.statistics.metrics.roc_auc_within_folds import score_within_folds
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.selection import Selection


def claim_on_test(
    patients: Mapping[str, Predictions], selected: Predictions, selection: Selection
) -> pd.DataFrame:
    """Patient-level ROC-AUC within folds of four ways to select a variant.

    Args:
        patients: Variant to its held-out patients; may be empty if `selection.complete` is false.
        selected: Held-out patients, each as predicted by the variant selected in their fold.
        selection: The selection on validation images.

    Returns:
        Columns choice, roc_auc_within_folds and optimistic. Rows: selection in each fold on validation
        images; best variant on the test patients of all folds; best variant on each test fold; mean of all
        variants. Only the first row if not all variants were tested. After a search that was not blind, all
        rows are optimistic.
    """
    validated = score_within_folds(selected)
    columns = ["choice", "roc_auc_within_folds", "optimistic"]
    rows = [("in each fold on its validation images", validated, not selection.blind)]
    if not selection.complete:
        return pd.DataFrame(rows, columns=columns)
    scores = {variant: score_within_folds(rows) for variant, rows in patients.items()}
    by_fold = [
        max(
            (rows.of_fold(fold) for rows in patients.values()),
            key=lambda one: _known(score_within_folds(one)),
        )
        for fold in selection.chosen
    ]
    tables = pd.concat([one.table for one in by_fold], ignore_index=True)
    folds = score_within_folds(Predictions(tables, selected.classes))
    best = max(scores, key=lambda variant: _known(scores[variant]))
    rows += [
        (f"best variant on all test patients ({best})", scores[best], True),
        ("best variant on each test fold", folds, True),
        ("no selection: mean of all variants", float(np.nanmean(list(scores.values()))), not selection.blind),
    ]
    return pd.DataFrame(rows, columns=columns)


def show_claim(claim: pd.DataFrame) -> Table:
    """The comparison as a table for the terminal."""
    shown = Table(
        "selection of the variant",
        "patient ROC-AUC within folds",
        "",
        box=box.SIMPLE_HEAD,
        title="Effect of selection",
    )
    shown.title_justify = "left"
    for row in claim.to_dict("records"):
        shown.add_row(
            row["choice"], f"{row['roc_auc_within_folds']:.3f}", "optimistic" if row["optimistic"] else ""
        )
    return shown


def _known(score: float) -> float:
    return score if np.isfinite(score) else float("-inf")
