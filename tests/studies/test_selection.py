"""Validation images select the variant of each fold; test rows are not used."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.pooled_rows import UntestedError
from mds_lightning.studies.selection import choose_variants, is_blind_study, select_variants
from mds_lightning.studies.settings import write_settings

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
    counts = {name: list(expected.values()).count(name) for name in pooled}
    assert selection.preferred == max(sorted(counts), key=counts.get)
    assert not selection.is_nested
    assert selection.candidates == {0: 3, 1: 3, 2: 3}


def test_a_nested_search_selects_among_the_trials_of_the_fold(make_pooled):
    pooled = {
        f"trial-{fold}-{number}": make_pooled(signal=1.0, seed=number).of_fold(fold)
        for fold in range(3)
        for number in range(2 + fold)
    }
    selection = select_variants(STUDY, pooled)
    for fold, variant in selection.chosen.items():
        own = [name for name in pooled if name.startswith(f"trial-{fold}-")]
        assert variant == max(own, key=lambda name: _score(pooled[name], fold))
    assert selection.is_nested
    assert selection.candidates == {0: 2, 1: 3, 2: 4}
    assert not selection.complete, "no trial has results of all patients"
    assert set(selection.predictions.split("test").table["fold"]) == {0, 1, 2}


def test_ties_are_broken_by_the_class_balanced_loss_of_the_fold_alone():
    """Two variants rank every validation image correctly; which is more certain depends on the fold."""

    def rows(certainty: dict[int, float]) -> Predictions:
        parts = []
        for fold, margin in certainty.items():
            target = np.array([0, 0, 0, 1])
            probability = np.where(target == 1, 0.5 + margin, 0.5 - margin)
            names = [f"p{fold}{k}" for k in range(4)]
            parts.append(
                pd.DataFrame(
                    {
                        "image": names, "patient_id": names, "site": "", "fold": fold, "split": "val",
                        "label": np.array(["donor", "MDS"])[target], "target": target,
                        "prob_donor": 1 - probability, "prob_MDS": probability,
                    }
                )
            )  # fmt: skip
        return Predictions(pd.concat(parts, ignore_index=True), ("donor", "MDS"))

    pooled = {"a": rows({0: 0.1, 1: 0.3, 2: 0.2}), "b": rows({0: 0.2, 1: 0.1, 2: 0.2})}
    assert choose_variants(pooled).chosen == {0: "b", 1: "a", 2: "a"}
    # What happens in another fold changes nothing.
    pooled["b"] = rows({0: 0.2, 1: 0.4, 2: 0.2})
    assert choose_variants(pooled).chosen == {0: "b", 1: "b", 2: "a"}
    # A better ROC-AUC outweighs the loss.
    pooled["a"] = rows({0: 0.1, 1: -0.1, 2: 0.2})
    pooled["b"] = rows({0: 0.2, 1: 0.01, 2: 0.01})
    assert choose_variants(pooled).chosen == {0: "b", 1: "b", 2: "a"}


@pytest.mark.parametrize(
    ("variant", "hpo", "blind"),
    [
        ("trial-0", {"trial": 0, "blind": True}, True),
        ("trial-0", {"trial": 0, "blind": False}, False),
        ("trial-0", {"trial": 0}, False),
        ("resnet18", {}, True),
    ],
)
def test_a_study_is_blind_if_all_its_trials_say_so(tmp_path, variant, hpo, blind):
    study = StudyDirectory(tmp_path)
    for fold in (0, 1):
        run = study.run(variant, fold)
        run.path.mkdir(parents=True)
        write_settings(run.config, {"hpo": hpo if fold else {"trial": 0, "blind": True}})
    assert is_blind_study(study, [variant]) is blind


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
