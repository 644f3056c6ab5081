"""What recalibrating each fold's model on its validation patients changes in the pooled metrics.

    python -m benchmarks.recalibration                # 60 cohorts per setting, minutes on one core
    python -m benchmarks.recalibration --cohorts 20

A patient's score is the log-odds of a correctly calibrated model with even classes, times the slope of the
fold's model, plus its offset. Each fold's recalibration is learned on 16% of the patients, as by `train`.
"""

import argparse
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from mds_lightning.statistics import recalibration
from mds_lightning.statistics.ranking import Ranking
from mds_lightning.statistics.recalibration import Recalibration, learn_recalibration

FOLDS, VALIDATION = 5, 0.16
#: Name to the standard deviation of the prior on the logarithm of the slope; None: no recalibration.
KINDS: Mapping[str, float | None] = {
    "none": None,
    "offsets": 1e-3,
    "slope, prior 0.25": 0.25,
    "slope, prior 0.5": 0.5,
    "slope, prior 1": 1.0,
}


@dataclass(frozen=True)
class Setting:
    """A cohort and how its folds' models differ.

    Attributes:
        sizes: Number of negative and positive patients.
        offset: Standard deviation of the models' offsets, log-odds.
        scale: Standard deviation of the logarithm of the models' slopes.
        separation: Distance of the classes' means in standard deviations within a class.
    """

    sizes: tuple[int, int]
    offset: float
    scale: float
    separation: float


SETTINGS = [
    Setting((negatives, positives), offset, scale, separation)
    for positives, negatives in ((40, 60), (150, 150), (240, 60), (20, 20))
    for offset, scale, separation in ((2, 0.5, 2.5), (0, 0, 2.5), (0, 0.7, 2.5), (2, 0.7, 3.5))
]


def measure_cohort(setting: Setting, generator: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Kind of recalibration to pooled AUC, AUC within folds, Brier score, accuracy and intercept."""
    target = np.repeat([0, 1], setting.sizes)
    fold = np.concatenate([np.arange(size) % FOLDS for size in setting.sizes])
    latent = generator.normal(size=len(target))
    offset, slope, quality = (
        generator.normal(0, deviation, FOLDS) for deviation in (setting.offset, setting.scale, 0.2)
    )
    after = {kind: np.zeros(len(target)) for kind in KINDS}
    for k in range(FOLDS):
        d = setting.separation * np.exp(quality[k])
        score = np.exp(slope[k]) * d * (d * (target - 0.5) + latent) + offset[k]
        rest = [np.flatnonzero((fold != k) & (target == c)) for c in (0, 1)]
        val = np.concatenate(
            [
                generator.choice(rows, max(2, round(VALIDATION * size)), replace=False)
                for rows, size in zip(rest, setting.sizes, strict=True)
            ]
        )
        for kind, prior in KINDS.items():
            found = _learn(target[val], score[val], prior)
            after[kind][fold == k] = found.slope * score[fold == k] + found.offsets[1]
    return {kind: _measure(target, log_odds, fold) for kind, log_odds in after.items()}


def _learn(target: NDArray[np.int64], score: NDArray[np.float64], prior: float | None) -> Recalibration:
    if prior is None:
        return Recalibration(1.0, (0.0, 0.0))
    recalibration.SLOPE_PRIOR = prior
    return learn_recalibration(target, np.stack([expit(-score), expit(score)], axis=1))


def _measure(
    target: NDArray[np.int64], log_odds: NDArray[np.float64], fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    aucs = [_auc(target[fold == k], log_odds[fold == k]) for k in range(FOLDS)]
    chance = expit(log_odds)
    return np.array(
        [
            _auc(target, log_odds),
            np.mean(aucs),
            ((chance - target) ** 2).mean(),
            ((log_odds > 0) == target).mean(),
            brentq(lambda a: (target - expit(log_odds + a)).sum(), -40, 40),
        ]
    )


def _auc(target: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    ranking = Ranking.of(target == 1, score, np.arange(len(target)))
    correct, total = ranking.pairs(np.ones((1, len(target))))
    return float(correct[0] / total[0])


def _name(setting: Setting) -> str:
    negatives, positives = setting.sizes
    return f"{positives} + {negatives}, {setting.offset}, {setting.scale}, {setting.separation}"


def main() -> None:
    """Print a table for each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=60)
    arguments = parser.parse_args()
    start = time.process_time()
    print(
        "| patients (positive + negative), offset, scale, separation | recalibration | AUC pooled "
        "| AUC within folds | Brier | accuracy | intercept (SD) |\n|---|---|---|---|---|---|---|"
    )
    for place, setting in enumerate(SETTINGS):
        generator = np.random.default_rng([0, place])
        cohorts = [measure_cohort(setting, generator) for _ in range(arguments.cohorts)]
        for kind in KINDS:
            values = np.array([one[kind] for one in cohorts])
            mean, spread = values.mean(axis=0), values[:, 4].std()
            name = _name(setting)
            print(
                f"| {name} | {kind} | {mean[0]:.4f} | {mean[1]:.4f} | {mean[2]:.4f} | {mean[3]:.4f} "
                f"| {mean[4]:+.3f} ({spread:.2f}) |",
                flush=True,
            )
    print(f"\n{arguments.cohorts} cohorts per setting; {time.process_time() - start:.0f} s")


if __name__ == "__main__":
    main()
