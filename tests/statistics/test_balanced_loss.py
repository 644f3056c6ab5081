"""The loss of a class does not depend on the number of its rows."""

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_sample_weight

from mds_lightning.statistics.balanced_loss import score_balanced_loss


@pytest.mark.parametrize("classes", [("donor", "MDS"), ("donor", "MDS", "AML")])
def test_it_equals_a_weighted_log_loss(make_pooled, classes) -> None:
    rows = make_pooled(classes).split("val")
    rows = rows.where((rows.target != 1) | (np.arange(len(rows.target)) % 5 == 0))
    weights = compute_sample_weight("balanced", rows.target)
    expected = log_loss(rows.target, rows.probabilities, sample_weight=weights)
    assert math.isclose(score_balanced_loss(rows), expected, rel_tol=1e-12)


def test_it_is_undefined_without_a_class_and_finite_for_a_probability_of_zero(make_pooled) -> None:
    rows = make_pooled().split("val")
    assert math.isnan(score_balanced_loss(rows.where(rows.target == 0)))
    table = rows.table.copy()
    table.loc[0, ["prob_donor", "prob_MDS"]] = np.eye(2)[1 - table.loc[0, "target"]]
    assert math.isfinite(score_balanced_loss(type(rows)(table, rows.classes)))
