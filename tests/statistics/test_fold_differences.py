"""Whether the folds' models differ more than chance allows."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, fisher_exact

from mds_lightning.statistics.fold_differences import (
    compare_folds,
    compute_p_of_aucs,
    compute_p_of_proportions,
)

TWELVE = np.full(5, 12)


def test_a_fold_with_a_third_of_the_specificity_is_significant() -> None:
    assert compute_p_of_proportions(np.array([12, 9, 4, 12, 12]), TWELVE) < 1e-4


def test_the_exact_test_equals_that_of_scipy() -> None:
    for successes, trials in (([3, 5], [10, 9]), ([7, 1], [8, 8])):
        table = np.array([successes, np.subtract(trials, successes)])
        expected = fisher_exact(table).pvalue
        found = compute_p_of_proportions(np.array(successes), np.array(trials))
        assert found == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("successes", [[12] * 5, [0] * 5])
def test_equal_proportions_do_not_differ(successes: list[int]) -> None:
    assert compute_p_of_proportions(np.array(successes), TWELVE) == 1


def test_homogeneity_of_aucs_with_the_variance_of_hanley_and_mcneil() -> None:
    sizes = np.full(5, 12.0)
    aucs = np.array([1.0, 0.68, 1.0, 0.99, 1.0])
    mean = aucs.mean()
    q1, q2 = mean / (2 - mean), 2 * mean**2 / (1 + mean)
    variance = (mean * (1 - mean) + 11 * (q1 - mean**2) + 11 * (q2 - mean**2)) / 144
    expected = chi2.sf(((aucs - mean) ** 2 / variance).sum(), 4)
    assert compute_p_of_aucs(aucs, sizes, sizes) == pytest.approx(expected)
    assert expected < 0.001
    assert compute_p_of_aucs(np.ones(5), sizes, sizes) == 1
    assert np.isnan(compute_p_of_aucs(np.ones(1), sizes[:1], sizes[:1]))


def test_equal_folds_are_rarely_significant(correlated: Any) -> None:
    small = [
        compare_folds(correlated(patients=60, images=1, folds=5, seed=seed))["p_holm"].min() < 0.05
        for seed in range(40)
    ]
    assert np.mean(small) < 0.15


def test_the_tests_of_a_study_are_adjusted_together(make_predictions: Any) -> None:
    target = np.tile([0] * 12 + [1] * 12, 5)
    fold = np.repeat(np.arange(5), 24)
    score = np.where(target == 1, 0.9, 0.1).astype(float)
    donors = np.flatnonzero((target == 0) & (fold == 2))
    score[donors[:8]] = 0.8
    table = compare_folds(make_predictions(target, score, fold=fold)).set_index(["metric", "class"])
    line = table.loc["recall", "donor"]
    assert line["folds"] == "12/12, 12/12, 4/12, 12/12, 12/12"
    assert line["p_holm"] == pytest.approx(3 * line["p"])
    assert line["p_holm"] < 0.001
    assert table.loc[("recall", "MDS"), "p"] == 1
    assert table.loc[("roc_auc", "MDS"), "p"] == 1, "the ranks within a fold are not affected"
