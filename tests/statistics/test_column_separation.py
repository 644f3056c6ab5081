"""Columns that separate the classes without any image."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning.statistics.column_separation import IMAGES_PER_PATIENT, SEPARATING, measure_separation


def lines(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index("column")


def test_the_number_of_images_per_patient(make_predictions: Any) -> None:
    patient = np.repeat(np.arange(40), [4 if k % 2 else 1 for k in range(40)])
    rows = make_predictions(patient % 2, np.full(len(patient), 0.5), patient)
    line = lines(measure_separation(rows)).loc[IMAGES_PER_PATIENT]
    assert line["value"] == 1
    assert line["low"] > SEPARATING
    assert line["n_patients"] == 40


def test_numbers_and_categories(correlated: Any) -> None:
    rows = correlated(patients=80, images=2)
    patients = rows.table.groupby("patient_id")["target"].first()
    generator = np.random.default_rng(0)
    age = 60.0 - 20 * patients + generator.normal(0, 10, 80)
    clinical = pd.DataFrame(
        {
            "age": age.where(np.arange(80) > 3),
            "sex": np.where(generator.random(80) < 0.5, "f", "m"),
            "site": np.where(patients == 1, "A", "B"),
            "subtype": np.where(patients == 1, "LB", None),
            "note": [f"text {k}" for k in range(80)],
        },
        index=patients.index,
    )
    found = lines(measure_separation(rows, clinical))
    assert list(found.index) == [IMAGES_PER_PATIENT, "age", "sex", "site"]
    known = clinical["age"].notna()
    assert found.loc["age", "value"] == pytest.approx(1 - roc_auc_score(patients[known], age[known]))
    assert found.loc["age", "n_patients"] == 76
    assert found.loc["site", "value"] == 1
    assert found.loc["sex", "low"] < SEPARATING
    assert found.loc[IMAGES_PER_PATIENT, "value"] == 0.5


def test_three_classes_have_a_line_each(correlated: Any) -> None:
    table = measure_separation(correlated(patients=30, classes=("donor", "MDS", "AML")))
    assert table["class"].tolist() == ["donor", "MDS", "AML"]
