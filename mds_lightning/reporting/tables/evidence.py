"""All tables of one variant, computed from its pooled predictions."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mds_lightning.statistics.calibration_estimates import (
    estimate_calibration,
    list_probabilities,
    trace_reliability,
)
from mds_lightning.statistics.column_separation import measure_separation
from mds_lightning.statistics.confusion import count_confusion
from mds_lightning.statistics.curves.decision import estimate_decision
from mds_lightning.statistics.curves.reliability import ReliabilityBin, tabulate_reliability
from mds_lightning.statistics.estimates import Settings, estimate_levels, list_level_folds
from mds_lightning.statistics.external import ExternalPatients, find_external
from mds_lightning.statistics.external_estimates import estimate_external
from mds_lightning.statistics.fold_differences import compare_folds
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.operating_point_estimates import estimate_operating_points
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.prevalence import estimate_predictive_values, shift_prevalence
from mds_lightning.statistics.recalibrated_levels import (
    RECALIBRATED,
    LevelRecalibrations,
    learn_level_recalibrations,
    list_levels,
    recalibrate_levels,
)
from mds_lightning.statistics.recalibration import list_folds_without_recalibration
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.site_recalibration import recalibrate_sites
from mds_lightning.statistics.subgroups import estimate_subgroups
from mds_lightning.studies.pooled_rows import HELD_OUT

log = logging.getLogger(__name__)

#: Text columns with more values than this (free text, dates) are not used as subgroups.
_MOST_GROUPS = 12
#: Tables with a column that names their probabilities; other tables have it already or are of no rows.
_RECALIBRATED_TABLES = {
    "metrics", "folds", "confusion", "fold_differences", "operating_points", "thresholds", "decision_curve",
    "predictive_values", "decision_curve_prevalence", "subgroups", "external",
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """All computed results of one variant.

    Attributes:
        predictions: All rows of the variant, as predicted.
        levels: Level to all rows, recalibrated in each fold.
        settings: Settings of the estimates.
        tables: File name without extension to table: `metrics`, `folds`, `confusion`, `calibration`,
            `reliability`, `fold_differences`, `column_separation`; for two classes also `operating_points`,
            `thresholds` and `decision_curve`; with a prevalence also `predictive_values` and
            `decision_curve_prevalence`; with clinical columns also `subgroups`; with external patients also
            `external`, and with `recalibrate=site` also `site_recalibration` and `site_offsets`. All are
            computed from the recalibrated probabilities; `calibration` and `reliability` also from those as
            predicted.
        reliability: (probabilities, level) to the reliability curve of the last class (the positive class
            of two).
    """

    predictions: Predictions
    levels: Mapping[Level, Predictions]
    settings: Settings
    tables: Mapping[str, pd.DataFrame]
    reliability: Mapping[tuple[str, str], list[ReliabilityBin]]

    @property
    def test(self) -> dict[Level, Predictions]:
        """Held-out rows by level: `image`, `patient`; recalibrated."""
        return _select_test(self.levels)

    @property
    def external(self) -> ExternalPatients | None:
        """The external patients, one row for each patient and fold, recalibrated; None without any."""
        return find_external(self.levels["patient"])

    @property
    def folds_without_recalibration(self) -> dict[int, tuple[str, ...]]:
        """Fold to the classes that its validation patients lack, so that its rows are as predicted."""
        return list_folds_without_recalibration(self.predictions)


def gather_evidence(
    predictions: Predictions,
    settings: Settings,
    clinical: pd.DataFrame | None = None,
    recalibrations: LevelRecalibrations | None = None,
) -> Evidence:
    """Compute all tables of one variant.

    Args:
        predictions: Pooled rows of a study, as predicted.
        settings: Settings of the estimates.
        clinical: Clinical columns with patient_id as index, or None.
        recalibrations: Of every fold, as stored with the study; None: they are learned here.

    Raises:
        ValueError: A prevalence is given for more than two classes; the models are to be recalibrated on a
            site, and no site has enough labelled external patients.
    """
    if settings.prevalence is not None and not predictions.is_binary:
        raise ValueError(
            f"prevalence={settings.prevalence}: predictive values are computed for two classes, and the task "
            f"has {len(predictions.classes)}: leave prevalence out"
        )
    recalibrations = recalibrations or learn_level_recalibrations(predictions, settings.aggregation)
    levels = recalibrate_levels(predictions, settings.aggregation, recalibrations)
    test = _select_test(levels)
    rows = list_probabilities(list_levels(predictions, settings.aggregation), levels)
    reliability = trace_reliability(rows, predictions.classes[-1], settings)
    tables = {
        "metrics": estimate_levels(test, HELD_OUT, settings),
        "folds": list_level_folds(test, HELD_OUT),
        "confusion": _tabulate_confusion(test),
        "calibration": estimate_calibration(rows, settings),
        "reliability": tabulate_reliability(reliability),
        "fold_differences": compare_folds(test["patient"], settings.seed),
        "column_separation": measure_separation(test["image"], clinical, settings.confidence),
    }
    if predictions.is_binary:
        points, thresholds = estimate_operating_points(levels, HELD_OUT, settings)
        tables |= {"operating_points": points, "thresholds": thresholds}
        tables["decision_curve"] = _trace_decision(test["patient"], settings)
        if settings.prevalence is not None:
            tables |= _apply_prevalence(levels["patient"], settings, settings.prevalence)
    if clinical is not None and not clinical.empty:
        tables["subgroups"] = _tabulate_subgroups(test["patient"], clinical, settings)
    if not (external := estimate_external(levels, settings)).empty:
        tables["external"] = external
    if settings.recalibrate == "site":
        tables |= _recalibrate_sites(levels["patient"], settings)
    for name in _RECALIBRATED_TABLES & tables.keys():
        tables[name] = tables[name].assign(probabilities=RECALIBRATED)
    return Evidence(predictions, levels, settings, tables, reliability)


def _select_test(levels: Mapping[Level, Predictions]) -> dict[Level, Predictions]:
    return {level: rows.split("test") for level, rows in levels.items()}


def _recalibrate_sites(patients: Predictions, settings: Settings) -> dict[str, pd.DataFrame]:
    found = recalibrate_sites(patients, settings.confidence)
    for site, reason in found.left_out.items():
        log.warning("the models are not recalibrated on the site %s: %s", site, reason)
    return {"site_recalibration": found.calibration, "site_offsets": found.offsets}


def _trace_decision(
    patients: Predictions, settings: Settings, prevalence: float | None = None
) -> pd.DataFrame:
    return estimate_decision(
        Sample.of(patients),
        settings.n_resamples,
        settings.confidence,
        settings.seed,
        prevalence=prevalence,
    )


def _apply_prevalence(
    patients: Predictions, settings: Settings, prevalence: float
) -> dict[str, pd.DataFrame]:
    """Tables at another prevalence; none where the validation patients of a fold are all of one class."""
    if list_folds_without_recalibration(patients):
        return {}
    shifted = shift_prevalence(patients, prevalence)
    return {
        "predictive_values": estimate_predictive_values(patients, prevalence, settings.confidence),
        "decision_curve_prevalence": _trace_decision(shifted, settings, prevalence),
    }


def _tabulate_confusion(test: Mapping[Level, Predictions]) -> pd.DataFrame:
    lines = []
    for level, rows in test.items():
        counts = count_confusion(Sample.of(rows)).sum(axis=0)
        lines += [
            (level, rows.classes[true], rows.classes[predicted], int(count))
            for (true, predicted), count in np.ndenumerate(counts)
        ]
    return pd.DataFrame(lines, columns=["level", "true", "predicted", "rows"])


def _tabulate_subgroups(patients: Predictions, clinical: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    tested = clinical.loc[clinical.index.isin(patients.table["patient_id"])]
    parts = []
    for column in tested:
        values = tested[column]
        numeric = bool(pd.api.types.is_numeric_dtype(values)) and not pd.api.types.is_bool_dtype(values)
        if values.nunique() < 2 or (not numeric and values.nunique() > _MOST_GROUPS):
            continue
        parts.append(
            estimate_subgroups(patients, values, settings.n_resamples, settings.confidence, settings.seed)
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
