"""Decision curves: the net benefit of treating by the model, by treating all patients, or none."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.sample import Sample


@dataclass(frozen=True)
class NetBenefit:
    """Net benefit of a sample as a function of the patients' weights, for `bootstrap`.

    Net benefit at threshold probability t: true positives minus t / (1 - t) times false positives, per row
    (Vickers and Elkin, Med Decis Making 26 (2006) 565).

    Keys: (`model`, t) and (`all`, t); the net benefit of treating no patient is 0.

    Attributes:
        sample: Rows of two classes. Their probabilities have to be calibrated for `prevalence`.
        thresholds: Threshold probabilities in [0, 1).
        prevalence: Fraction of the positive class, to which the classes are weighted; None: that of the rows.
    """

    sample: Sample
    thresholds: tuple[float, ...]
    prevalence: float | None = None

    def __post_init__(self) -> None:
        if not all(0 <= t < 1 for t in self.thresholds):
            raise ValueError(f"thresholds are {self.thresholds}: give probabilities in [0, 1)")
        assert len(self.sample.classes) == 2, "decision curves are for two classes"

    def __call__(self, weights: NDArray[np.float64]) -> Mapping[tuple[str, float], NDArray[np.float64]]:
        """Each key's net benefit (resamples,) under each row of `weights` (resamples, patients)."""
        predicted = self.sample.probabilities[:, 1, None] >= np.array(self.thresholds)
        positive = self.sample.target == 1
        positives = weights @ self._count(positive[:, None])
        negatives = weights @ self._count(~positive[:, None])
        true_positives = weights @ self._count(predicted & positive[:, None])
        false_positives = weights @ self._count(predicted & ~positive[:, None])
        if self.prevalence is None:
            total = positives + negatives
            prevalence = positives / total
            true_positives, false_positives = true_positives / total, false_positives / total
        else:
            prevalence = np.full_like(positives, self.prevalence)
            true_positives = true_positives * (prevalence / positives)
            false_positives = false_positives * ((1 - prevalence) / negatives)
        curves: dict[tuple[str, float], NDArray[np.float64]] = {}
        for k, t in enumerate(self.thresholds):
            weight = t / (1 - t)
            curves["model", t] = true_positives[:, k] - weight * false_positives[:, k]
            curves["all", t] = prevalence[:, 0] - weight * (1 - prevalence[:, 0])
        return curves

    def _count(self, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(patients, columns) number of true rows of each patient."""
        counts = np.zeros((self.sample.n_patients, rows.shape[1]))
        np.add.at(counts, self.sample.patient, rows)
        return counts


def estimate_decision(
    sample: Sample,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    steps: int = 99,
    prevalence: float | None = None,
) -> pd.DataFrame:
    """The decision curve of a sample with its pointwise interval.

    Args:
        sample: Rows of two classes.
        n_resamples: Resamples of the bootstrap over patients.
        confidence: Of the interval at each threshold.
        seed: Of the resamples.
        steps: Number of thresholds, evenly spaced in (0, 1).
        prevalence: See `NetBenefit`.

    Returns:
        Columns threshold, model, low, high (of the model), all, n_patients.
    """
    thresholds = tuple(k / (steps + 1) for k in range(1, steps + 1))
    benefit = NetBenefit(sample, thresholds, prevalence)
    result = bootstrap(benefit, sample.patient_class, n_resamples, seed, jackknife=False)
    rows = []
    for t in thresholds:
        interval = result.percentile(("model", t), confidence)
        rows.append((t, result.point["model", t], interval.low, interval.high, result.point["all", t]))
    table = pd.DataFrame(rows, columns=["threshold", "model", "low", "high", "all"])
    return table.assign(n_patients=sample.n_patients)
