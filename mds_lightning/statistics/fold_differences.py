"""Tests whether the models of the folds differ more than the chance of which patients a fold tests allows."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import chi2

from mds_lightning.statistics.comparison import adjust_holm
from mds_lightning.statistics.intervals.newcombe import variance_of_auc
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import measure_auc

#: Names of the tests.
HOMOGENEITY = "chi-square test of homogeneity with Hanley and McNeil's variances as modified by Newcombe"
EXACT = "Fisher-Freeman-Halton exact test"
#: Random tables of the exact test; the smallest p value is the inverse.
_TABLES = 100_000

COLUMNS = ("metric", "class", "test", "folds", "lowest", "highest", "p", "p_holm")


def compare_folds(patients: Predictions, seed: int = 0) -> pd.DataFrame:
    """Test ROC-AUC and recall of each class for differences between the folds.

    For two classes, the recall of the second is the sensitivity and that of the first the specificity.

    Args:
        patients: Held-out rows, one per patient.
        seed: Of the random tables of the exact test.

    Returns:
        `COLUMNS`: `folds` lists the folds' values; `p` is NaN where fewer than two folds have a value;
        `p_holm` is adjusted for all rows.
    """
    sample = Sample.of(patients)
    folds = np.unique(sample.fold)
    rows: list[tuple[object, ...]] = []
    for k in sample.scored_classes:
        counts = [np.bincount(sample.target[sample.fold == f] == k, minlength=2) for f in folds]
        defined = [f for f, (others, own) in zip(folds, counts, strict=True) if others and own]
        sizes = np.array([c for c in counts if c.all()], float).reshape(-1, 2)
        aucs = np.array([measure_auc(sample, k, int(f)) for f in defined])
        text = ", ".join(f"{value:.3f}" for value in aucs)
        p = compute_p_of_aucs(aucs, sizes[:, 1], sizes[:, 0])
        rows.append(("roc_auc", sample.classes[k], HOMOGENEITY, text, *_range(aucs), p))
    for k, name in enumerate(sample.classes):
        own = sample.target == k
        total = np.array([(own & (sample.fold == f)).sum() for f in folds])
        found = np.array([(own & (sample.predicted == k) & (sample.fold == f)).sum() for f in folds])
        found, total = found[total > 0], total[total > 0]
        text = ", ".join(f"{a}/{b}" for a, b in zip(found, total, strict=True))
        rows.append(
            (
                "recall",
                name,
                EXACT,
                text,
                *_range(found / total),
                compute_p_of_proportions(found, total, seed),
            )
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    return table.assign(p_holm=adjust_holm(table["p"].tolist()))


def compute_p_of_aucs(
    aucs: NDArray[np.float64], positives: NDArray[np.float64], negatives: NDArray[np.float64]
) -> float:
    """P value of equal ROC-AUCs in all folds; NaN for fewer than two folds.

    The statistic is the sum of the squared distances from the mean (weighted by pairs) over the variances at
    the mean. It is conservative near 1, where the distribution of a ROC-AUC is skewed.

    Args:
        aucs: (folds,) 0..1.
        positives: (folds,) number of positive patients.
        negatives: (folds,) number of negative patients.
    """
    if len(aucs) < 2:
        return float("nan")
    mean = float(np.average(aucs, weights=positives * negatives))
    if mean in (0.0, 1.0):
        return 1.0
    statistic = ((aucs - mean) ** 2 / variance_of_auc(mean, positives, negatives)).sum()
    return float(chi2.sf(statistic, len(aucs) - 1))


def compute_p_of_proportions(successes: NDArray[np.int64], trials: NDArray[np.int64], seed: int = 0) -> float:
    """P value of equal proportions in all folds; NaN for fewer than two folds.

    The exact test of a 2 x folds table given its margins (Freeman and Halton, Biometrika 38 (1951) 141): the
    probability of all tables that are at most as probable as this one, by Monte Carlo.

    Args:
        successes: (folds,).
        trials: (folds,) above 0.
        seed: Of the random tables.
    """
    if len(trials) < 2:
        return float("nan")
    if successes.sum() in (0, trials.sum()):
        return 1.0

    def log_probability(tables: NDArray[np.int64]) -> NDArray[np.float64]:
        logs: NDArray[np.float64] = -(gammaln(tables + 1) + gammaln(trials - tables + 1)).sum(axis=-1)
        return logs

    generator = np.random.default_rng(seed)
    drawn = generator.multivariate_hypergeometric(trials, int(successes.sum()), _TABLES, method="marginals")
    at_most = (log_probability(drawn) <= log_probability(successes) + 1e-9).sum()
    return float((at_most + 1) / (_TABLES + 1))


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (float("nan"), float("nan"))
