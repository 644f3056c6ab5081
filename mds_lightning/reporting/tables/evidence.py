"""All tables of one variant, computed from its pooled predictions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.calibration_estimates import (
    estimate_calibration,
    list_probabilities,
    trace_reliability,
)
from mds_lightning.statistics.confusion import count_confusion
from mds_lightning.statistics.curves.decision import estimate_decision
from mds_lightning.statistics.curves.reliability import ReliabilityBin, tabulate_reliability
from mds_lightning.statistics.estimates import Settings, estimate, list_folds
from mds_lightning.statistics.external import compare_external
from mds_lightning.statistics.operating_point_estimates import estimate_operating_points
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.subgroups import estimate_subgroups
from mds_lightning.studies.pooled_rows import HELD_OUT

#: Text columns with more values than this (free text, dates) are not used as subgroups.
_MOST_GROUPS = 12


@dataclass(frozen=True)
class Evidence:
    """All computed results of one variant.

    Attributes:
        predictions: All rows of the variant.
        settings: Settings of the estimates.
        tables: File name without extension to table: `metrics`, `folds`, `confusion`, `calibration`,
            `reliability`; for two classes also `operating_points`, `thresholds` and `decision_curve`; with
            clinical columns also `subgroups`.
        reliability: (probabilities, level) to the reliability curve of the last class (the positive class
            of two).
    """

    predictions: Predictions
    settings: Settings
    tables: Mapping[str, pd.DataFrame]
    reliability: Mapping[tuple[str, str], list[ReliabilityBin]]

    @property
    def test(self) -> dict[str, Predictions]:
        """Held-out rows by level: `image`, `patient`."""
        rows = self.predictions.split("test")
        return {"image": rows, "patient": aggregate_patients(rows, self.settings.aggregation)}


def gather_evidence(
    predictions: Predictions, settings: Settings, clinical: pd.DataFrame | None = None
) -> Evidence:
    """Compute all tables of one variant.

    Args:
        predictions: Pooled rows of a study.
        settings: Settings of the estimates.
        clinical: Clinical columns with patient_id as index, or None.
    """
    external = compare_external(predictions)
    test = predictions.split("test")
    estimates = [estimate(test, HELD_OUT, settings)]
    folds = [list_folds(test, HELD_OUT, settings)]
    for one in external:
        estimates.append(estimate(one.predictions, one.patients, settings, one.average_folds))
        if one.average_folds:
            folds.append(list_folds(one.predictions, one.patients, settings))
    rows = list_probabilities(predictions, settings)
    reliability = trace_reliability(rows, predictions.classes[-1], settings)
    tables = {
        "metrics": pd.concat(estimates, ignore_index=True),
        "folds": pd.concat(folds, ignore_index=True),
        "confusion": _tabulate_confusion(test, settings),
        "calibration": estimate_calibration(rows, settings),
        "reliability": tabulate_reliability(reliability),
    }
    patients = aggregate_patients(test, settings.aggregation)
    if predictions.is_binary:
        points, thresholds = estimate_operating_points(predictions, HELD_OUT, settings)
        tables |= {"operating_points": points, "thresholds": thresholds}
        tables["decision_curve"] = estimate_decision(
            Sample.of(patients), settings.n_resamples, settings.confidence, settings.seed
        )
    if clinical is not None and not clinical.empty:
        tables["subgroups"] = _tabulate_subgroups(patients, clinical, settings)
    return Evidence(predictions, settings, tables, reliability)


def _tabulate_confusion(test: Predictions, settings: Settings) -> pd.DataFrame:
    lines = []
    for level, rows in (("image", test), ("patient", aggregate_patients(test, settings.aggregation))):
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
