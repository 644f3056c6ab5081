import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.statistics.operating_point import (
    Rule,
    apply_thresholds,
    choose_fold_thresholds,
    choose_threshold,
)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 30), st.floats(0.1, 1))
def test_rules_hold_and_are_optimal(seed: int, n: int, wanted: float) -> None:
    generator = np.random.default_rng(seed)
    positive = np.arange(n) % 2 == 0
    score = np.round(generator.random(n), 1)

    def rates(threshold: float) -> tuple[float, float]:
        called = score >= threshold
        return called[positive].mean(), (~called[~positive]).mean()

    candidates = [rates(t) for t in [*np.unique(score), 2.0]]
    sensitivity, specificity = rates(choose_threshold(positive, score, Rule.youden()))
    assert sensitivity + specificity == pytest.approx(max(a + b for a, b in candidates))
    sensitivity, specificity = rates(choose_threshold(positive, score, Rule(wanted)))
    assert sensitivity >= wanted - 1e-9
    assert specificity == pytest.approx(max(b for a, b in candidates if a >= wanted - 1e-9))


def test_threshold_lies_half_way() -> None:
    positive, score = np.array([True, True, False, False]), np.array([0.9, 0.7, 0.3, 0.1])
    assert choose_threshold(positive, score, Rule.youden()) == pytest.approx(0.5)
    assert choose_threshold(positive, score, Rule(0.5)) == pytest.approx(0.8)
    assert choose_threshold(~positive, score, Rule.youden()) == np.inf


def study(correlated):
    """Two folds, each with validation rows of its own."""
    test = correlated(patients=40, folds=2, seed=1)
    val = correlated(patients=40, folds=2, seed=2, split="val").table
    val = val.assign(image="v" + val["image"], patient_id="v" + val["patient_id"])
    import pandas as pd

    return type(test)(pd.concat([test.table, val], ignore_index=True), test.classes)


def test_thresholds_come_from_validation_alone(correlated) -> None:
    predictions = study(correlated)
    thresholds = choose_fold_thresholds(predictions, Rule.youden())
    table = predictions.table.copy()
    test = table["split"] == "test"
    table.loc[test, ["prob_donor", "prob_MDS"]] = table.loc[test, ["prob_MDS", "prob_donor"]].to_numpy()
    swapped = choose_fold_thresholds(type(predictions)(table, predictions.classes), Rule.youden())
    assert thresholds == swapped
    assert thresholds.keys() == {0, 1}
    table.loc[~test, ["prob_donor", "prob_MDS"]] = table.loc[~test, ["prob_MDS", "prob_donor"]].to_numpy()
    other = choose_fold_thresholds(type(predictions)(table, predictions.classes), Rule.youden())
    assert other != thresholds


def test_each_fold_uses_its_own_threshold(make_predictions) -> None:
    rows = make_predictions([0, 1, 0, 1], [0.3, 0.6, 0.3, 0.6], fold=[0, 0, 1, 1])
    predicted = apply_thresholds(rows, {0: 0.3, 1: 0.61})
    assert predicted.probabilities[:, 1].tolist() == [1, 1, 0, 0]
    with pytest.raises(ValueError, match="fold 1 has no threshold"):
        apply_thresholds(rows, {0: 0.3})


def test_validation_rows_of_one_class_give_no_threshold(make_predictions) -> None:
    rows = make_predictions([0, 0, 1], [0.1, 0.2, 0.9], fold=[0, 0, 1], split="val")
    assert choose_fold_thresholds(rows, Rule.youden()) == {}
    with pytest.raises(ValueError, match="sensitivity is 95"):
        Rule(95)
