import logging
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mds_lightning.cohort.clinical_cells import parse_clinical
from mds_lightning.cohort.manifest import read_cohort

from .manifests import findings_of, one_error, write

AGES = ["50", "51", "62", "63", "74", "75", "76"]


def manifest(folder, cells, name="age"):
    """A manifest of one patient for each cell of a clinical column; all but the first have label MDS."""
    rows = []
    for number, cell in enumerate(cells):
        (folder / f"{number}.png").write_bytes(b"image %d" % number)
        rows.append(f'{number}.png,p{number},{"MDS" if number else "donor"},"{cell}"\n')
    return write(folder, f"image,patient_id,label,{name}\n{''.join(rows)}")


def column(folder, task, cells):
    return read_cohort(manifest(folder, cells), task).table["age"]


def clinical_findings(path, task):
    return [(one.code, one.severity, one.row, one.column, one.message) for one in findings_of(path, task)]


def test_cells_among_numbers_count_as_missing_and_are_reported(folder, task):
    path = manifest(folder, [*AGES, "65+", "unknown"])
    values = read_cohort(path, task).table["age"]
    assert values.iloc[:7].tolist() == [float(age) for age in AGES]
    assert values.iloc[7:].isna().all()
    [(code, severity, row, name, message)] = clinical_findings(path, task)
    assert (code, severity, row, name) == ("MDS015", "warning", 9, "age")
    assert "has numbers in 7 rows, and '65+' (row 9), 'unknown' (row 10); they count as missing" in message


def test_a_column_that_is_half_numbers_stays_text_and_is_reported(folder, task):
    cells = [*AGES, "a", "b", "c", "d"]
    assert column(folder, task, cells).tolist() == cells
    [(code, _, row, _, message)] = clinical_findings(manifest(folder, cells), task)
    assert (code, row) == ("MDS015", 9)
    assert "has numbers in 7 rows, and 'a' (row 9)" in message
    assert "the column is used as text" in message


@pytest.mark.parametrize(
    "cells", [["1", "2", "3", "3b", "2", "1"], ["007", *AGES], ["a", "b", "1"], ["", "x"]]
)
def test_categories_and_identifiers_stay_text_without_a_finding(folder, task, cells):
    assert column(folder, task, cells).dropna().tolist() == [cell for cell in cells if cell]
    assert clinical_findings(manifest(folder, cells), task) == []


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["50,5", "61", "70,25"], [50.5, 61, 70.25]),
        (["0,125", "1,500"], [0.125, 1.5]),
        (["-1,5", "2.5"], [-1.5, 2.5]),
    ],
)
def test_a_decimal_comma_is_read_and_reported(folder, task, cells, numbers):
    assert column(folder, task, cells).tolist() == numbers
    [(code, severity, row, _, message)] = clinical_findings(manifest(folder, cells), task)
    assert (code, severity, row) == ("MDS016", "warning", 2)
    assert f"'{cells[0]}' is read as {cells[0].replace(',', '.')}" in message


def test_commas_that_may_separate_thousands_are_not_guessed(folder, task):
    cells = ["1,234", "150,000", "950"]
    assert column(folder, task, cells).tolist() == cells
    [(code, _, row, _, message)] = clinical_findings(manifest(folder, cells), task)
    assert (code, row) == ("MDS016", 2)
    assert "may be decimal or of thousands; the column is used as text" in message


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 1)), min_size=1, max_size=20))
def test_numbers_are_read_in_either_notation(numbers):
    texts = pd.Series([str(number) for number in numbers], dtype="str")
    if texts.str.match(r"[+-]?0\d").any():
        return
    assert parse_clinical(texts).tolist() == numbers
    assert parse_clinical(texts.str.replace(".", ",")).tolist() == numbers


def test_decimals_of_parquet_are_numbers():
    assert parse_clinical(pd.Series([Decimal("1.5"), None], dtype=object)).fillna(-1).tolist() == [1.5, -1]


@pytest.mark.parametrize(
    ("cell", "kind"), [([1, 2], "list"), ({"a": 1}, "dict"), (b"x", "bytes"), (np.array([1.0]), "list")]
)
def test_nested_columns_of_parquet_are_refused_by_name(folder, task, cell, kind):
    frame = pd.DataFrame(
        {
            "image": ["0.png", "1.png"],
            "patient_id": ["a", "b"],
            "label": ["MDS", "donor"],
            "blood": [None, cell],
        }
    )
    frame.to_parquet(folder / "m.parquet")
    row, column, message = one_error(folder / "m.parquet", task)
    assert (row, column) == (3, "blood")
    assert f"contains a {kind}, not a single value, in 1 rows" in message


def test_warnings_are_logged_when_a_cohort_is_read(folder, task, caplog):
    with caplog.at_level(logging.WARNING):
        column(folder, task, ["50,5", "61"])
    assert "(MDS016)" in caplog.text
