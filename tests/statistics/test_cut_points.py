"""A cut's text parts the values as the cut does, and is as short as a clinician would write it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.statistics.cut_points import write_cut
from mds_lightning.statistics.subgroups import group_values


@pytest.mark.parametrize(
    ("values", "cut", "text"),
    [
        ([30, 44, 45, 60], 44.6667, "44"),
        ([44.6, 44.8, 60.0], 44.6667, "44.7"),
        ([44.2, 46.1, 60.5], 44.6667, "45"),
        ([0.0011, 0.0012], 0.00115, "0.0011"),
        ([1.5, 2.5], 2.5, "3"),
        ([-3.5, -1.2], -2.0, "-2"),
        ([1e-9, 2e-9], 1.5e-9, "1e-09"),
        ([120_000, 150_000, 151_000], 140_000.0, "140000"),
    ],
)
def test_it_has_few_digits(values, cut, text):
    assert write_cut(np.array(values, float), cut) == text


@given(
    st.lists(st.floats(-1e6, 1e6) | st.integers(0, 90).map(float), min_size=2, max_size=30),
    st.floats(0, 1),
)
@settings(deadline=None, max_examples=200)
def test_it_divides_the_values_as_the_cut_does(values, fraction):
    numbers = np.array(values)
    cut = float(np.quantile(numbers, fraction))
    assert np.array_equal(numbers <= float(write_cut(numbers, cut)), numbers <= cut)


def test_the_labels_of_thirds_hold_for_their_members():
    values = pd.Series([37.25, 44.6, 44.8, 50.0, 61.3, 61.35, 70.0, 72.5, 80.1], name="haemoglobin")
    groups = group_values(values)
    assert list(dict.fromkeys(groups)) == ["≤ 48", "> 48 to 64", "> 64"]
    assert values[groups == "> 48 to 64"].between(48, 64, inclusive="right").all()
    ages = pd.Series(range(30, 77), name="age")
    assert list(dict.fromkeys(group_values(ages))) == ["≤ 45", "> 45 to 60", "> 60"]
