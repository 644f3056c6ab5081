"""The reliability curve: observed fraction of positive rows against mean probability, in bins."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.intervals.interval import Interval
from mds_lightning.statistics.intervals.wilson import wilson_interval


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of the curve.

    Attributes:
        low: Lower edge, probability.
        high: Upper edge, probability.
        rows: Number of rows.
        predicted: Mean probability of the rows.
        observed: Fraction of the rows that are positive.
        interval: Of `observed`.
    """

    low: float
    high: float
    rows: int
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True)
class BinFractions:
    """Fraction of positive rows in each bin as a function of the patients' weights, for `bootstrap`.

    Attributes:
        is_positive: (rows,).
        bin: (rows,) number of each row's bin.
        patient: (rows,) number of the patient.
    """

    is_positive: NDArray[np.bool_]
    bin: NDArray[np.int64]
    patient: NDArray[np.int64]

    def __call__(self, weights: NDArray[np.float64]) -> Mapping[int, NDArray[np.float64]]:
        """Each bin to its fraction (resamples,); NaN where no row is drawn."""
        w = weights.take(self.patient, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                int(k): w @ ((self.bin == k) & self.is_positive) / (w @ (self.bin == k).astype(float))
                for k in np.unique(self.bin)
            }


def bin_reliability(
    is_positive: NDArray[np.bool_],
    probability: NDArray[np.float64],
    patient: NDArray[np.int64],
    bins: int = 10,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[ReliabilityBin]:
    """The reliability curve in bins of equal width; empty bins are left out.

    Args:
        is_positive: (rows,).
        probability: (rows,) 0..1 of being positive.
        patient: (rows,) number of the patient. With one row per patient the intervals are Wilson's,
            otherwise of a bootstrap over patients.
        bins: Number of bins over 0..1.
        n_resamples: Resamples of the bootstrap.
        confidence: Of the intervals.
        seed: Of the bootstrap.
    """
    place = place_in_bins(probability, bins)
    clustered = None
    if len(np.unique(patient)) < len(patient):
        fractions = BinFractions(is_positive, place, patient)
        one_stratum = np.zeros(int(patient.max()) + 1, np.int64)
        clustered = bootstrap(fractions, one_stratum, n_resamples, seed, jackknife=False)
    curve = []
    for k in np.unique(place):
        inside = place == k
        rows, hits = int(inside.sum()), int(is_positive[inside].sum())
        interval = wilson_interval(hits, rows, confidence)
        if clustered is not None:
            interval = clustered.percentile(int(k), confidence)
        mean = float(probability[inside].mean())
        curve.append(
            ReliabilityBin(float(k / bins), float((k + 1) / bins), rows, mean, hits / rows, interval)
        )
    return curve


def tabulate_reliability(curves: Mapping[tuple[str, str], list[ReliabilityBin]]) -> pd.DataFrame:
    """Reliability curves, one row per bin: edges, rows, mean probability, observed fraction with limits."""
    lines = [
        (*key, one.low, one.high, one.rows, one.predicted, one.observed, one.interval.low, one.interval.high)
        for key, bins in curves.items()
        for one in bins
    ]
    columns = [
        "probabilities",
        "level",
        "low_edge",
        "high_edge",
        "rows",
        "predicted",
        "observed",
        "low",
        "high",
    ]
    return pd.DataFrame(lines, columns=columns)


def place_in_bins(probability: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """(rows,) number of the bin of equal width over 0..1."""
    return np.minimum((probability * bins).astype(np.int64), bins - 1)
