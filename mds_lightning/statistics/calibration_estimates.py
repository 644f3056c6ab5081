"""Calibration of a study before and after recalibration, with intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mds_lightning.statistics.calibration import Calibration, explain_uncalibrated
from mds_lightning.statistics.curves.reliability import ReliabilityBin, bin_reliability
from mds_lightning.statistics.estimates import COLUMNS, Settings
from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibrated_levels import RAW, RECALIBRATED
from mds_lightning.statistics.sample import Sample


def list_probabilities(
    raw: Mapping[Level, Predictions], recalibrated: Mapping[Level, Predictions]
) -> dict[tuple[str, str], Predictions]:
    """Test rows by (probabilities, level)."""
    return {
        (kind, level): rows.split("test")
        for kind, levels in ((RAW, raw), (RECALIBRATED, recalibrated))
        for level, rows in levels.items()
    }


def estimate_calibration(rows: Mapping[tuple[str, str], Predictions], settings: Settings) -> pd.DataFrame:
    """Brier score, ECE, slope and intercept of each scored class, with percentile intervals.

    Args:
        rows: From `list_probabilities`.
        settings: Aggregation, resamples, confidence and seed.

    Returns:
        Columns probabilities, level, metric, class, value, low, high, interval, note, n_patients, n_rows.
    """
    lines = []
    for (kind, level), part in rows.items():
        sample = Sample.of(part)
        for k in sample.scored_classes:
            positive = sample.target == k
            calibration = Calibration(positive, sample.probabilities[:, k], sample.patient)
            result = bootstrap(
                calibration, sample.patient_class, settings.n_resamples, settings.seed, jackknife=False
            )
            for metric, value in result.point.items():
                interval = result.percentile(metric, settings.confidence)
                note = explain_uncalibrated(positive) if np.isnan(value) else interval.note
                where = (kind, level, metric, sample.classes[k])
                limits = (interval.low, interval.high, interval.method)
                lines.append((*where, value, *limits, note, sample.n_patients, len(positive)))
    return pd.DataFrame(lines, columns=["probabilities", *COLUMNS[1:]])


def trace_reliability(
    rows: Mapping[tuple[str, str], Predictions], name: str, settings: Settings
) -> dict[tuple[str, str], list[ReliabilityBin]]:
    """The reliability curve of one class for each of `rows`."""
    curves = {}
    for key, part in rows.items():
        k, sample = part.classes.index(name), Sample.of(part)
        curves[key] = bin_reliability(
            sample.target == k,
            sample.probabilities[:, k],
            sample.patient,
            n_resamples=settings.n_resamples,
            confidence=settings.confidence,
            seed=settings.seed,
        )
    return curves
