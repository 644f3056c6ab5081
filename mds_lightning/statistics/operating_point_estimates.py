"""Metrics of test patients at thresholds chosen on validation patients."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mds_lightning.statistics.estimates import COLUMNS, Settings, estimate_level
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.metric_registry import list_metrics
from mds_lightning.statistics.operating_point import Rule, apply_thresholds, choose_fold_thresholds
from mds_lightning.statistics.predictions import Predictions

#: Rules that a report shows.
RULES = (Rule.youden(), Rule(0.9), Rule(0.95))


def estimate_operating_points(
    levels: Mapping[Level, Predictions], patients: str, settings: Settings, rules: Sequence[Rule] = RULES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply each fold's threshold to its test rows, at image and at patient level.

    Args:
        levels: Level to the pooled rows of a binary study, of all splits.
        patients: Which patients the test patients are, as tables and reports call them.
        settings: Aggregation, resamples, confidence and seed.
        rules: How thresholds are chosen.

    Returns:
        Estimates (`rule` and `estimates.COLUMNS`) of the metrics with `at_operating_points`, and the
        thresholds (rule, level, fold, threshold). Where the validation rows of a fold are all of one class,
        the level has no estimates.
    """
    points: list[pd.DataFrame] = []
    thresholds: list[tuple[str, str, int, float]] = []
    reported = [metric.name for metric in list_metrics() if metric.at_operating_points]
    for level, rows in levels.items():
        for rule in rules:
            chosen = choose_fold_thresholds(rows, rule)
            thresholds += [(rule.name, level, fold, value) for fold, value in chosen.items()]
            if set(rows.table["fold"]) - chosen.keys():
                continue
            predicted = apply_thresholds(rows, chosen)
            table = estimate_level(predicted.split("test"), patients, level, settings)
            table.insert(0, "rule", rule.name)
            points.append(table[table["metric"].isin(reported)])
    empty = pd.DataFrame(columns=["rule", *COLUMNS])
    return (
        pd.concat(points, ignore_index=True) if points else empty,
        pd.DataFrame(thresholds, columns=["rule", "level", "fold", "threshold"]),
    )
