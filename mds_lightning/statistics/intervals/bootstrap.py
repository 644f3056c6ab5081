"""The bootstrap over patients, stratified by class: a drawn patient brings all of its images."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mds_lightning.statistics.intervals.interval import Interval

K = TypeVar("K", bound=Hashable)

#: Labels of the intervals. Near 0 and 1 the coverage of BCa is better than that of the percentile interval,
#: as long as the resamples vary: see `benchmarks/coverage.py`.
PERCENTILE, BCA = "bootstrap over patients, percentile", "bootstrap over patients, BCa"
#: Resamples that are computed at once: few enough for the processor's cache.
_CHUNK = 64
#: Largest fraction of undefined resamples: leaving out more would make the interval too optimistic.
_MOST_UNDEFINED = 0.05
#: Values closer than this differ by rounding only.
_EQUAL = 1e-12


@dataclass(frozen=True)
class Bootstrap(Generic[K]):
    """A statistic and its resamples.

    Attributes:
        point: Each key to its value with every patient counted once.
        resamples: Each key to its values (n_resamples,).
        jackknife: Each key to its values (patients,) without each patient in turn; empty if not computed.
        strata: (patients,) stratum of each patient.
    """

    point: Mapping[K, float]
    resamples: Mapping[K, NDArray[np.float64]]
    jackknife: Mapping[K, NDArray[np.float64]]
    strata: NDArray[np.int64]

    def percentile(self, key: K, confidence: float = 0.95) -> Interval:
        """Quantiles of the resamples at (1 ± confidence) / 2."""
        method = PERCENTILE
        draws, note = self._defined(key)
        if draws is None:
            return Interval.undefined(method, note)
        return _between(draws, np.array([(1 - confidence) / 2, (1 + confidence) / 2]), method, note)

    def bca(self, key: K, confidence: float = 0.95) -> Interval:
        """Bias-corrected and accelerated interval.

        Efron, J Am Stat Assoc 82 (1987) 171; acceleration of stratified samples from the jackknife as in
        Davison and Hinkley, Bootstrap Methods and their Application (1997), section 5.3.
        """
        method = BCA
        assert key in self.jackknife, "bootstrap was called with jackknife=False"
        draws, note = self._defined(key)
        if draws is None:
            return Interval.undefined(method, note)
        if np.ptp(draws) < _EQUAL:
            return Interval(float(draws[0]), float(draws[0]), method, note)
        point = self.point[key]
        fraction = (np.mean(draws < point) + np.mean(draws <= point)) / 2
        if not 0 < fraction < 1:
            return Interval.undefined(method, "all resamples are below the estimate, or all are above")
        acceleration = _accelerate(self.jackknife[key], self.strata)
        if not np.isfinite(acceleration):
            return Interval.undefined(method, "undefined without one of the patients")
        bias = ndtri(fraction)
        shifted = bias + ndtri(np.array([(1 - confidence) / 2, (1 + confidence) / 2]))
        return _between(draws, ndtr(bias + shifted / (1 - acceleration * shifted)), method, note)

    def _defined(self, key: K) -> tuple[NDArray[np.float64] | None, str]:
        """The defined resamples of `key` and a note, or None and why there is no interval."""
        if np.isnan(self.point[key]):
            return None, "the estimate is undefined"
        if (np.bincount(self.strata) == 1).any():
            return None, "a class (or a class in a fold) has a single patient, which cannot be resampled"
        draws = self.resamples[key]
        undefined = int(np.isnan(draws).sum())
        if undefined > _MOST_UNDEFINED * len(draws):
            return None, f"undefined in {undefined} of {len(draws)} resamples"
        draws = draws[~np.isnan(draws)]
        if np.ptp(draws) < _EQUAL:
            return draws, "all resamples are equal: too few patients or errors for a spread"
        return draws, f"without {undefined} undefined resamples" if undefined else ""


def bootstrap(
    statistic: Callable[[NDArray[np.float64]], Mapping[K, NDArray[np.float64]]],
    strata: NDArray[np.int64],
    n_resamples: int = 2000,
    seed: int = 0,
    jackknife: bool = True,
) -> Bootstrap[K]:
    """Compute `statistic` under `n_resamples` random weightings of the patients.

    Args:
        statistic: From weights (resamples, patients), float64, to each key's values (resamples,).
        strata: (patients,) stratum of each patient; every resample keeps the sizes of the strata.
        n_resamples: Number of resamples.
        seed: The same seed gives the same resamples.
        jackknife: Also compute `statistic` without each patient in turn, which `Bootstrap.bca` needs.
    """
    n = len(strata)
    point = {key: float(value[0]) for key, value in statistic(np.ones((1, n))).items()}
    weights = draw_weights(strata, n_resamples, seed)
    resamples = _gather(statistic, lambda a, b: weights[a:b].astype(np.float64), n_resamples)
    left_out = _gather(statistic, lambda a, b: 1.0 - np.eye(b - a, n, a), n) if jackknife else {}
    return Bootstrap(point, resamples, left_out, strata)


def draw_weights(strata: NDArray[np.int64], n_resamples: int, seed: int) -> NDArray[np.uint16]:
    """(n_resamples, patients): how often each patient is drawn, each stratum with replacement."""
    generator = np.random.default_rng(seed)
    weights = np.zeros((n_resamples, len(strata)), np.uint16)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        size = len(members)
        for start in range(0, n_resamples, _CHUNK):
            rows = min(_CHUNK, n_resamples - start)
            drawn = generator.integers(0, size, (rows, size)) + np.arange(rows)[:, None] * size
            counts = np.bincount(drawn.ravel(), minlength=rows * size)
            weights[start : start + rows, members] = counts.reshape(rows, size)
    return weights


def _gather(
    statistic: Callable[[NDArray[np.float64]], Mapping[K, NDArray[np.float64]]],
    weights: Callable[[int, int], NDArray[np.float64]],
    n: int,
) -> dict[K, NDArray[np.float64]]:
    parts = [statistic(weights(start, min(start + _CHUNK, n))) for start in range(0, n, _CHUNK)]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}


def _accelerate(left_out: NDArray[np.float64], strata: NDArray[np.int64]) -> float:
    cubes = squares = 0.0
    for stratum in np.unique(strata):
        values = left_out[strata == stratum]
        influence = (len(values) - 1) * (values.mean() - values) / len(values)
        cubes += float((influence**3).sum())
        squares += float((influence**2).sum())
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0


def _between(draws: NDArray[np.float64], quantiles: NDArray[np.float64], method: str, note: str) -> Interval:
    low, high = np.quantile(draws, quantiles, method="weibull")
    return Interval(float(low), float(high), method, note)
