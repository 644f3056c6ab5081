"""Agreement of probabilities with observed fractions: ECE, Brier score, slope and intercept."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.curves.reliability import place_in_bins

#: Probabilities are kept this far from 0 and 1 before their logit is taken.
_SMALLEST = 1e-6
_STEPS = 50
#: Beyond this slope a threshold separates the classes and the likelihood has no maximum.
_STEEPEST = 1e3


@dataclass(frozen=True)
class Calibration:
    """Calibration of one set of rows as a function of the patients' weights, for `bootstrap`.

    Keys: `brier` (mean squared distance of the probability from the outcome), `ece` (mean distance of the
    observed fraction from the mean probability over bins of equal width, weighted by rows; biased upwards in
    a finite sample), `slope` (of the outcome's log-odds on the predicted ones: below 1, probabilities are too
    extreme), `intercept` (of the same, with the slope held at 1: above 0, probabilities are too low). See Van
    Calster et al., J Clin Epidemiol 74 (2016) 167.

    Attributes:
        is_positive: (rows,).
        probability: (rows,).
        patient: (rows,) number of the patient.
        bins: Number of bins of the ECE.
    """

    is_positive: NDArray[np.bool_]
    probability: NDArray[np.float64]
    patient: NDArray[np.int64]
    bins: int = 10

    def __call__(self, weights: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        """Each key's value (resamples,) for each row of `weights` (resamples, patients); NaN if undefined."""
        w = weights.take(self.patient, axis=1)
        total = w.sum(axis=1)
        outcome = self.is_positive.astype(float)
        logit = _logit(self.probability)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "brier": w @ (self.probability - outcome) ** 2 / total,
                "ece": self._ece(w, outcome) / total,
                "slope": _fit_logistic(w, logit, outcome)[1],
                "intercept": _fit_offset(w, logit, outcome),
            }

    def _ece(self, w: NDArray[np.float64], outcome: NDArray[np.float64]) -> NDArray[np.float64]:
        member = np.eye(self.bins)[place_in_bins(self.probability, self.bins)]
        return np.abs(w @ (member * (outcome - self.probability)[:, None])).sum(axis=1)


def explain_uncalibrated(is_positive: NDArray[np.bool_]) -> str:
    """Why slope or intercept is undefined on these rows."""
    if is_positive.all() or not is_positive.any():
        return "all rows are of one class"
    return "a threshold separates the classes, so the slope has no finite estimate"


def _logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    return np.log(clipped) - np.log1p(-clipped)


def _fit_logistic(
    w: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intercepts and slopes (resamples,) of weighted logistic regressions of `y` on `x`, by Newton."""
    a, b = np.zeros(len(w)), np.zeros(len(w))
    scale = float(np.abs(x).max()) or 1.0
    x = x / scale
    step = np.full(len(w), np.inf)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * x, -500, 500)))
        error, curvature = w * (y - p), w * p * (1 - p)
        ga, gb = error.sum(axis=1), error @ x
        haa, hab, hbb = curvature.sum(axis=1), curvature @ x, curvature @ x**2
        determinant = haa * hbb - hab**2
        da, db = (hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant
        # A full Newton step may overshoot where a threshold nearly separates the classes.
        step = np.hypot(da, db)
        damping = np.minimum(1.0, 10.0 / np.where(step > 0, step, 1.0))
        a, b = a + damping * da, b + damping * db
        if np.nanmax(step, initial=0.0) < 1e-10:
            break
    failed = ~(step < 1e-6) | ~(np.abs(b / scale) < _STEEPEST)
    return np.where(failed, np.nan, a), np.where(failed, np.nan, b / scale)


def _fit_offset(
    w: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Intercepts (resamples,) of weighted logistic regressions of `y` with offset `x`."""
    positives, total = w @ y, w.sum(axis=1)
    a = np.zeros(len(w))
    low, high = np.full(len(w), -40.0), np.full(len(w), 40.0)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(a[:, None] + x)))
        gradient, curvature = positives - (w * p).sum(axis=1), (w * p * (1 - p)).sum(axis=1)
        low, high = np.where(gradient > 0, a, low), np.where(gradient > 0, high, a)
        proposed = a + gradient / curvature
        inside = (proposed > low) & (proposed < high)
        moved = np.where(inside, proposed, (low + high) / 2)
        done = np.max(np.abs(moved - a), initial=0.0) < 1e-10
        a = moved
        if done:
            break
    return np.where((positives > 0) & (positives < total), a, np.nan)
