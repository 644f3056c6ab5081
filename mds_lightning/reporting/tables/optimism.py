"""What choosing a variant on the test folds would claim, beside what a choice on validation is worth."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from rich import box
from rich.table import Table

from mds_lightning.reporting.selection import Selection
from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.predictions import Predictions, score_auroc


def claim_on_test(patients: Mapping[str, Predictions], selection: Selection) -> pd.DataFrame:
    """Patient-level ROC-AUC of four ways to choose.

    Args:
        patients: Variant to its held-out patients; of a search only the chosen of which were tested
            (`selection.complete` is false) none are needed.
        selection: The choice on validation.

    Returns:
        Rows (choice, roc_auc, optimistic): on validation in each fold; the best variant on the pooled test
        patients, as papers do; the best variant of each test fold; and their mean, as if none were chosen.
        The first alone where not all variants were tested: of the others nobody can say what they claim.
    """
    honest = score_auroc(aggregate_patients(selection.predictions.split("test")).table)
    columns = ["choice", "roc_auc", "optimistic"]
    rows = [("in each fold on its validation patients", honest, False)]
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
        ("best variant of each test fold", folds, True),
        ("no choice: mean of all variants", float(np.nanmean(list(pooled.values()))), False),
    ]
    return pd.DataFrame(rows, columns=columns)


def show_claim(claim: pd.DataFrame) -> Table:
    """The rows for the terminal."""
    shown = Table(
        "the variant is chosen", "patient ROC-AUC", "", box=box.SIMPLE_HEAD, title="What the choice is worth"
    )
    shown.title_justify = "left"
    for row in claim.to_dict("records"):
        shown.add_row(row["choice"], f"{row['roc_auc']:.3f}", "optimistic" if row["optimistic"] else "")
    return shown


def _known(score: float) -> float:
    return score if np.isfinite(score) else float("-inf")
