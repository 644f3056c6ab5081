import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.subgroups import COLUMNS, estimate_subgroups, group_values


@pytest.fixture
def patients(correlated):
    return aggregate_patients(correlated(patients=80, images=2))


def column(patients, values, name: str) -> pd.Series:
    return pd.Series(list(values), index=patients.table["patient_id"], name=name)


def pick(table: pd.DataFrame, group: str, metric: str, class_name: str = "MDS") -> pd.Series:
    found = table[(table["group"] == group) & (table["metric"] == metric) & (table["class"] == class_name)]
    assert len(found) == 1
    return found.iloc[0]


def test_each_group_is_evaluated_by_itself(patients) -> None:
    sex = column(patients, np.arange(80) % 3 == 0, "sex").map({True: "m", False: "f"})
    table = estimate_subgroups(patients, sex, n_resamples=200)
    assert list(table.columns) == list(COLUMNS)
    inside = np.arange(80) % 3 == 0
    line = pick(table, "m", "roc_auc")
    expected = roc_auc_score(patients.target[inside], patients.probabilities[inside, 1])
    assert line["value"] == pytest.approx(expected)
    assert line["low"] < line["value"] < line["high"]
    assert (line["n_patients"], line["patients"]) == (27, "within the group")
    recall = pick(table, "m", "recall", "donor")
    negative = inside & (patients.target == 0)
    assert recall["value"] == pytest.approx((patients.probabilities[negative, 1] <= 0.5).mean())
    assert recall["interval"] == "Wilson"


def test_estimates_of_small_groups_are_withheld(patients) -> None:
    site = column(patients, ["A"] * 71 + ["B"] * 9, "site")
    table = estimate_subgroups(patients, site, n_resamples=200)
    small = table[table["group"] == "B"]
    assert small["n_patients"].isna().all()
    assert small[["value", "low", "high"]].isna().all().all()
    assert small["note"].str.contains("fewer than 10").all()
    assert table[table["group"] == "A"]["value"].notna().all()


def test_in_a_large_group_metrics_of_a_class_of_few_patients_are_withheld(patients) -> None:
    keep = (patients.target == 0) | (np.arange(80) < 12)
    group = column(patients, np.where(keep, "A", "B"), "group")
    table = estimate_subgroups(patients, group, n_resamples=200)
    assert np.isnan(pick(table, "A", "roc_auc")["value"])
    assert np.isnan(pick(table, "A", "recall", "MDS")["value"])
    assert pick(table, "A", "recall", "donor")["value"] > 0
    assert pick(table, "A", "recall", "donor")["n_patients"] == 46


def test_a_subtype_is_compared_with_all_patients_of_the_other_class(patients) -> None:
    kind = np.where(np.arange(80) < 40, "MLD", "EB")
    values = column(patients, np.where(patients.target == 1, kind, None), "who")
    table = estimate_subgroups(patients, values, n_resamples=200)
    line = pick(table, "EB", "roc_auc")
    chosen = (patients.target == 0) | (values == "EB").to_numpy()
    assert line["value"] == pytest.approx(
        roc_auc_score(patients.target[chosen], patients.probabilities[chosen, 1])
    )
    assert line["patients"] == "against all patients who are not MDS"
    assert line["n_patients"] == 20
    assert set(table[table["metric"] == "recall"]["class"]) == {"MDS"}


def test_numbers_are_divided_into_thirds() -> None:
    ages = pd.Series([*range(30, 90), np.nan], name="age")
    groups = group_values(ages)
    assert groups.value_counts().tolist() == [20, 20, 20]
    assert groups.iloc[-1] is None or pd.isna(groups.iloc[-1])
    assert groups.iloc[0].startswith("≤")
    few = group_values(pd.Series([0, 1, 2, 1], name="grade"))
    assert few.tolist() == ["0", "1", "2", "1"]
