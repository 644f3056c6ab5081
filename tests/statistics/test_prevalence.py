"""Predictive values and probabilities at another prevalence."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mds_lightning.statistics.curves.decision import NetBenefit
from mds_lightning.statistics.intervals.mover import interval_of_ratio
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.prevalence import estimate_predictive_values, shift_prevalence
from mds_lightning.statistics.sample import Sample


@pytest.fixture
def patients(make_predictions: Any) -> Predictions:
    """Two folds; validation: 8 of 10 positive; test: sensitivity 8/10, specificity 9/10 at any threshold."""
    parts = []
    for fold in (0, 1):
        val = make_predictions([0] * 2 + [1] * 8, [0.1] * 2 + [0.9] * 8, fold=fold, split="val").table
        target, found = [0] * 5 + [1] * 5, [0.1] * 4 + [0.1 + 0.8 * fold] + [0.9] * 4 + [0.1]
        test = make_predictions(target, found, fold=fold).table
        for name, part in (("v", val), ("t", test)):
            prefix = f"{name}{fold}"
            parts.append(part.assign(image=prefix + part["image"], patient_id=prefix + part["patient_id"]))
    return Predictions(pd.concat(parts, ignore_index=True), ("donor", "MDS"))


def test_probabilities_are_shifted_from_the_frequencies_of_the_validation_patients(patients: Any) -> None:
    shifted = shift_prevalence(patients, 0.1)
    assert set(shifted.table["split"]) == {"test"}
    # Odds 9 at 8 of 10 are a likelihood ratio of 9 / 4, and so odds of 0.25 at 1 of 10.
    assert shifted.probabilities[:, 1].max() == pytest.approx(0.2)
    np.testing.assert_allclose(shifted.probabilities.sum(axis=1), 1)
    same = shift_prevalence(patients, 0.8)
    np.testing.assert_allclose(same.probabilities, patients.split("test").probabilities)


def test_predictive_values_follow_from_sensitivity_and_specificity(patients: Any) -> None:
    table = estimate_predictive_values(patients, 0.1)
    line = table[table["rule"] == "Youden index"].set_index("metric")["value"]
    assert line["sensitivity"] == 0.8
    assert line["specificity"] == 0.9
    assert line["positive predictive value"] == pytest.approx(0.08 / (0.08 + 0.09))
    assert line["negative predictive value"] == pytest.approx(0.81 / (0.81 + 0.02))
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()


def test_a_perfect_specificity_leaves_the_predictive_value_uncertain(make_predictions: Any) -> None:
    parts = []
    for split in ("val", "test"):
        part = make_predictions([0] * 10 + [1] * 10, [0.1] * 10 + [0.9] * 10, split=split).table
        parts.append(part.assign(image=split + part["image"], patient_id=split + part["patient_id"]))
    separated = Predictions(pd.concat(parts, ignore_index=True), ("donor", "MDS"))
    table = estimate_predictive_values(separated, 0.05).set_index(["rule", "metric"]).loc["Youden index"]
    assert table.loc["positive predictive value", "value"] == 1
    assert table.loc["positive predictive value", "low"] < 0.3
    assert table.loc["positive predictive value", "high"] == 1


def test_a_fold_with_one_class_in_validation_is_refused(patients: Any) -> None:
    keep = ~((patients.table["split"] == "val") & (patients.table["label"] == "donor"))
    with pytest.raises(ValueError, match="validation patients of fold 0"):
        shift_prevalence(patients.where(keep), 0.1)
    assert estimate_predictive_values(patients.where(keep), 0.1).empty


def test_the_interval_of_a_ratio_covers_it() -> None:
    generator = np.random.default_rng(0)
    for a, b in ((0.9, 0.1), (0.95, 0.02), (0.5, 0.5)):
        found, alarmed = generator.binomial(30, a, 2000), generator.binomial(40, b, 2000)
        inside = [
            one.low <= a / b <= one.high
            for one in (interval_of_ratio((x, 30), (y, 40)) for x, y in zip(found, alarmed, strict=True))
        ]
        assert 0.925 < np.mean(inside) <= 0.985


def test_net_benefit_weights_the_classes(make_sample: Any) -> None:
    sample = make_sample([0, 0, 0, 0, 1, 1], [0.6, 0.1, 0.1, 0.1, 0.7, 0.2])
    weights = np.ones((1, 6))
    found = NetBenefit(sample, (0.5,), 0.1)(weights)
    assert found["model", 0.5][0] == pytest.approx(0.1 * 0.5 - 0.9 * 0.25)
    assert found["all", 0.5][0] == pytest.approx(0.1 - 0.9)
    own, given = NetBenefit(sample, (0.3,))(weights), NetBenefit(sample, (0.3,), 1 / 3)(weights)
    assert own["model", 0.3][0] == pytest.approx(given["model", 0.3][0])


def test_the_sample_keeps_its_patients_when_shifted(patients: Any) -> None:
    before, after = Sample.of(patients.split("test")), Sample.of(shift_prevalence(patients, 0.3))
    np.testing.assert_array_equal(before.target, after.target)
    np.testing.assert_array_equal(before.fold, after.fold)
