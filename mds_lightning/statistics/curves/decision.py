"""Decision curves: what acting on the model is worth, against treating everyone and no one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.sample import Sample


@dataclass(frozen=True)
class NetBenefit:
    """Net benefit of a sample as a function of the patients' weights, for `bootstrap`; once, on pooled rows.

    At threshold probability t, someone who acts from t on holds a false positive to be worth t / (1 - t) of a
    true one. Net benefit: true positives minus false positives at that price, per row (Vickers and Elkin, Med
    Decis Making 26 (2006) 565).

    Keys: (`model`, t) and (`all`, t); treating no one is 0.

    Attributes:
        sample: Rows of two classes.
        thresholds: Within 0..1, without 1.
    """

    sample: Sample
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(0 <= t < 1 for t in self.thresholds):
            raise ValueError(f"threshold probabilities lie in 0..1 without 1: {self.thresholds}")
        assert len(self.sample.classes) == 2, "decision curves are for two classes"

    def __call__(self, weights: NDArray[np.float64]) -> Mapping[tuple[str, float], NDArray[np.float64]]:
        """Each key's net benefit (resamples,) under each row of `weights` (resamples, patients)."""
        called = self.sample.probabilities[:, 1, None] >= np.array(self.thresholds)
        positive = self.sample.target == 1
        total = weights @ self._count(np.ones(len(positive), bool)[:, None])
        prevalence = weights @ self._count(positive[:, None]) / total
        hits = weights @ self._count(called & positive[:, None]) / total
        alarms = weights @ self._count(called & ~positive[:, None]) / total
        curves: dict[tuple[str, float], NDArray[np.float64]] = {}
        for k, t in enumerate(self.thresholds):
            price = t / (1 - t)
            curves["model", t] = hits[:, k] - price * alarms[:, k]
            curves["all", t] = prevalence[:, 0] - price * (1 - prevalence[:, 0])
        return curves

    def _count(self, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(patients, columns) number of true rows of each patient."""
        counts = np.zeros((self.sample.n_patients, rows.shape[1]))
        np.add.at(counts, self.sample.patient, rows)
        return counts


def estimate_decision(
    sample: Sample, n_resamples: int = 2000, confidence: float = 0.95, seed: int = 0, steps: int = 99
) -> pd.DataFrame:
    """The decision curve of a sample with its band.

    Args:
        sample: Rows of two classes.
        n_resamples: Of the bootstrap over patients.
        confidence: Of the band, at each threshold by itself.
        seed: Of the resamples.
        steps: Thresholds, evenly spaced within 0..1.

    Returns:
        Columns threshold, model, low, high (of the model), all, n_patients.
    """
    thresholds = tuple(k / (steps + 1) for k in range(1, steps + 1))
    benefit = NetBenefit(sample, thresholds)
    result = bootstrap(benefit, sample.patient_class, n_resamples, seed, jackknife=False)
    rows = []
    for t in thresholds:
        interval = result.percentile(("model", t), confidence)
        rows.append((t, result.point["model", t], interval.low, interval.high, result.point["all", t]))
    table = pd.DataFrame(rows, columns=["threshold", "model", "low", "high", "all"])
    return table.assign(n_patients=sample.n_patients)
