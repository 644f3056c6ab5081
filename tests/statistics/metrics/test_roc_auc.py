import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning.statistics.metrics.roc_auc import score_auroc


def test_score_auroc(correlated) -> None:
    table = correlated().table
    assert score_auroc(table) == pytest.approx(roc_auc_score(table["target"], table["prob_MDS"]))
    three = correlated(classes=("donor", "MDS", "AML")).table
    chance = three[["prob_donor", "prob_MDS", "prob_AML"]]
    expected = roc_auc_score(three["target"], chance, multi_class="ovr", average="macro")
    assert score_auroc(three) == pytest.approx(expected, abs=1e-6)
    assert np.isnan(score_auroc(table[table["target"] == 0]))
