import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.reporting.tables.characteristics import tabulate_characteristics

NUMBERS = np.arange(20, 36)
SEX = ["f", "m"] * 8


def make_rows(labels=("MDS", "donor"), **columns):
    """Sixteen patients with two images each; half have each label, and every fourth is external."""
    patients = [f"p{number}" for number in range(16)]
    table = pd.DataFrame(
        {
            "image": [f"{patient}.png" for patient in patients],
            "patient_id": patients,
            "label": [labels[number // 8] for number in range(16)],
            "external": [number % 4 == 0 for number in range(16)],
            "site": "",
        }
    )
    for name, values in columns.items():
        table[name] = values
    return pd.concat([table, table.assign(image="b" + table["image"])], ignore_index=True)


def named(table):
    """Characteristic (repeated for its categories) and value to the numbers of a row."""
    filled = table.assign(characteristic=table["characteristic"].replace("", np.nan).ffill())
    return {
        (row["characteristic"], row["value"]): row.drop(["characteristic", "value"]).to_dict()
        for _, row in filled.iterrows()
    }


def test_numbers_have_medians_and_categories_have_counts():
    rows = named(tabulate_characteristics(make_rows(age=NUMBERS, sex=SEX)))
    assert rows["n", ""] == {
        "missing": "", "all": "16", "MDS": "6", "donor": "6", "MDS (external)": "2", "donor (external)": "2",
    }  # fmt: skip
    quartiles = np.quantile(NUMBERS, [0.5, 0.25, 0.75])
    assert rows["age, median [Q1,Q3]", ""]["all"] == "{:.1f} [{:.1f},{:.1f}]".format(*quartiles)
    assert rows["sex, n (%)", "f"]["all"] == "8 (50.0)"
    assert rows["images per patient, median [Q1,Q3]", ""]["all"] == "2.0 [2.0,2.0]"


@pytest.mark.parametrize(
    "name",
    [
        "group", "n", "level", "variable", "value", "characteristic", "missing", "all", "Missing", "Overall",
        "index", "c0000", "images per patient", "a, b", "target", "0", "ä~[=]",
    ],
)  # fmt: skip
def test_a_column_of_any_name_is_shown_as_with_a_plain_name(name):
    for values in (NUMBERS, SEX):
        plain = tabulate_characteristics(make_rows(age=NUMBERS, plain=values, sex=SEX))
        other = tabulate_characteristics(make_rows(age=NUMBERS, **{name: values}, sex=SEX))
        plain["characteristic"] = plain["characteristic"].str.replace("plain", name)
        pd.testing.assert_frame_equal(other, plain)


@settings(max_examples=10, deadline=None)
@given(st.text(min_size=1, max_size=8).filter(lambda name: name not in make_rows()))
def test_no_name_raises_or_is_lost(name):
    table = tabulate_characteristics(make_rows(**{name: SEX}))
    assert f"{name}, n (%)" in set(table["characteristic"])


def test_the_text_none_is_not_a_missing_value():
    values = ["None"] * 4 + [None] * 4 + ["a"] * 8
    rows = named(tabulate_characteristics(make_rows(kind=values)))
    assert rows["kind, n (%)", "None"]["all"] == "4 (25.0)"
    assert rows["kind, n (%)", "not recorded"]["all"] == "4 (25.0)"


@pytest.mark.parametrize(
    "labels", [("all", "missing"), ("Overall", "Missing"), ("value", "characteristic"), ("g0000", "1")]
)
def test_labels_of_any_name_have_a_column(labels):
    plain, other = (
        tabulate_characteristics(make_rows(age=NUMBERS)),
        tabulate_characteristics(make_rows(labels, age=NUMBERS)),
    )
    assert other.shape == plain.shape
    assert other.columns.is_unique
    for label, same in zip(labels, ("MDS", "donor"), strict=True):
        column = (
            label
            if label in set(other.columns) - {"all", "missing", "value", "characteristic"}
            else f"{label} (label)"
        )
        assert other[column].tolist() == plain[same].tolist()
