"""Validation images select the variant of each fold; test rows are not used."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import UntestedError
from mds_lightning.studies.selection import choose_variants, select_variants

STUDY = StudyDirectory(Path("runs/my study"))


@pytest.fixture
def pooled(make_pooled):
    return {name: make_pooled(signal=signal, seed=seed, external=2) for seed, (name, signal) in enumerate(
        {"a": 0.5, "b": 0.6, "c": 0.4}.items()
    )}  # fmt: skip


def _score(predictions, fold):
    rows = predictions.split("val").of_fold(fold)
    return roc_auc_score(rows.target, rows.probabilities[:, 1])


def test_each_fold_takes_the_best_variant_on_its_own_validation_images(pooled):
    selection = choose_variants(pooled)
    expected = {fold: max(pooled, key=lambda name: _score(pooled[name], fold)) for fold in range(3)}
    assert selection.chosen == expected
    assert len(set(expected.values())) > 1, "the case is worth testing"
    assert selection.label == "chosen in each fold among 3"
    means = {name: np.mean([_score(rows, fold) for fold in range(3)]) for name, rows in pooled.items()}
    assert selection.scores == pytest.approx(means)
    assert selection.preferred == max(means, key=means.get)


def test_the_rows_are_those_of_the_selected_variants(pooled):
    selection = select_variants(STUDY, pooled)
    assert selection.complete
    for fold, variant in selection.chosen.items():
        pd.testing.assert_frame_equal(
            selection.predictions.of_fold(fold).table, pooled[variant].of_fold(fold).table
        )


def test_test_and_external_rows_do_not_change_the_selection(pooled):
    before = choose_variants(pooled)
    turned = {}
    for name, rows in pooled.items():
        table = rows.table.copy()
        elsewhere = table["split"] != "val"
        columns = ["prob_donor", "prob_MDS"]
        table.loc[elsewhere, columns] = table.loc[elsewhere, columns[::-1]].to_numpy()
        turned[name] = Predictions(table, rows.classes)
    assert choose_variants(turned) == before
    validation = {name: rows.split("val") for name, rows in pooled.items()}
    assert choose_variants(validation) == before


def test_a_selected_trial_that_was_not_tested_is_refused_with_the_command(pooled):
    chosen = choose_variants(pooled).chosen
    tested = {
        name: rows.where((rows.table["split"] == "val") | (rows.table["fold"].map(chosen) == name))
        for name, rows in pooled.items()
    }
    selection = select_variants(STUDY, tested)
    assert not selection.complete
    pd.testing.assert_frame_equal(
        selection.predictions.table, select_variants(STUDY, pooled).predictions.table
    )
    tested[chosen[1]] = tested[chosen[1]].where(
        (tested[chosen[1]].table["fold"] != 1) | (tested[chosen[1]].table["split"] == "val")
    )
    with pytest.raises(UntestedError, match=f"{chosen[1]} in fold 1") as refused:
        select_variants(STUDY, tested)
    assert "mds-lightning test 'study=runs/my study'" in str(refused.value)


def test_validation_rows_of_one_class_select_nothing(pooled):
    cut = {
        name: rows.where(~((rows.table["split"] == "val") & (rows.table["target"] == 0)))
        for name, rows in pooled.items()
    }
    selection = choose_variants(cut)
    assert selection.chosen == dict.fromkeys(range(3), "a")
    assert all(np.isnan(score) for score in selection.scores.values())
