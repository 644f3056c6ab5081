"""How thresholds chosen on validation patients do on test and external patients."""

from collections.abc import Sequence

import pandas as pd

from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.estimates import COLUMNS, Settings, estimate_level
from mds_lightning.statistics.external import compare_external
from mds_lightning.statistics.operating_point import Rule, apply_thresholds, choose_fold_thresholds
from mds_lightning.statistics.predictions import Predictions

#: Rules that a study reports.
RULES = (Rule.youden(), Rule(0.9), Rule(0.95))
#: Metrics of decisions: recall of the positive class is sensitivity, precision of the negative one is
#: the negative predictive value.
_METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity")


def estimate_operating_points(
    predictions: Predictions, patients: str, settings: Settings, rules: Sequence[Rule] = RULES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decide test and external rows by each fold's threshold, at image and at patient level.

    Args:
        predictions: Pooled rows of a binary study.
        patients: Name of the held-out patients.
        settings: How.
        rules: Of the thresholds.

    Returns:
        Estimates (`rule` and `estimates.COLUMNS`), and the thresholds (rule, level, fold, threshold). A level
        whose validation rows are of one side only in some fold has no estimates for that rule.
    """
    points: list[pd.DataFrame] = []
    thresholds: list[tuple[str, str, int, float]] = []
    levels = {"image": predictions, "patient": aggregate_patients(predictions, settings.aggregation)}
    for level, rows in levels.items():
        for rule in rules:
            chosen = choose_fold_thresholds(rows, rule)
            thresholds += [(rule.name, level, fold, value) for fold, value in chosen.items()]
            if set(rows.table["fold"]) - chosen.keys():
                continue
            decided = apply_thresholds(rows, chosen)
            parts = [estimate_level(decided.split("test"), (patients, level), settings)]
            parts += [
                estimate_level(one.predictions, (one.patients, level), settings, average_folds=True)
                for one in compare_external(decided)
                if one.average_folds
            ]
            table = pd.concat(parts, ignore_index=True)
            table.insert(0, "rule", rule.name)
            points.append(table[table["metric"].isin(_METRICS)])
    empty = pd.DataFrame(columns=["rule", *COLUMNS])
    return (
        pd.concat(points, ignore_index=True) if points else empty,
        pd.DataFrame(thresholds, columns=["rule", "level", "fold", "threshold"]),
    )
