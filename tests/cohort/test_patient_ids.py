import logging

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mds_lightning.cohort.manifest import inspect_manifest, read_cohort
from mds_lightning.cohort.patient_ids import check_similar_ids

from .manifests import errors_of, findings_of, one_error, write


def manifest(folder, *ids, label="MDS"):
    """A manifest of one image for each id; all have the label `label` except the last, a donor."""
    rows = "".join(f'{number}.png,"{patient}",{label}\n' for number, patient in enumerate(ids))
    return write(folder, f"image,patient_id,label\n{rows}{len(ids)}.png,other,donor\n")


def similar(ids):
    """Whether each id after the first is reported as similar to an earlier one."""
    rows = pd.DataFrame({"patient_id": ids}, index=range(2, len(ids) + 2))
    return [finding.row - 2 for finding in check_similar_ids(rows, "m.csv", ())]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7", "007"),
        ("12", "12.0"),
        ("12", "012,00"),
        ("MDS-0007", "MDS-7"),
        ("D-5", "D_5"),
        ("D-5", "D\u20135"),
        ("D-5", "D\u20115"),
        ("D-5", "D\u22125"),
        ("D-5", "d5"),
        ("D5", "D 5"),
        ("D5", "D\u200b5"),
        ("D5", "D\u00ad5"),
        ("D5", "\ufeffD5"),
        ("D 5", "D\u00a05"),
        ("D5", "D5\ufe0f"),
        ("D5", "\uff245"),
        ("2021-003", "2021_3"),
        ("2021-003", "2021003"),
        ("2021/003", "2021/3"),
    ],
)
def test_one_patient_under_two_ids_is_an_error_with_both_rows(folder, task, one, other):
    for ids in ((one, other), (other, one)):
        row, column, message = one_error(manifest(folder, *ids), task)
        assert (row, column) == (3, "patient_id")
        assert "(row 2) are probably one patient" in message
        assert "'cohort.ignore=[MDS028]'" in message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1-12", "11-2"),
        ("P10", "P100"),
        ("P1", "P10"),
        ("1.2", "12"),
        ("A", "B"),
        ("D5a", "D5b"),
        ("0", "00a"),
    ],
)
def test_other_ids_are_different_patients(one, other):
    assert similar([one, other]) == []


def test_ids_that_differ_in_case_alone_are_a_warning(folder, task):
    path = manifest(folder, "aB3", "Ab3")
    assert [(one.code, one.severity, one.row) for one in findings_of(path, task)] == [
        ("MDS024", "warning", 3)
    ]


def test_invisible_characters_are_shown(folder, task):
    message = one_error(manifest(folder, "D5", "D\u200b5"), task)[2]
    assert "'D\\u200b5' and 'D5'" in message


def test_external_patients_are_compared_with_the_others(folder, task):
    text = "image,patient_id,label,external\n0.png,7,MDS,no\n1.png,007,MDS,yes\n2.png,b,donor,no\n"
    assert one_error(write(folder, text), task)[:2] == (3, "patient_id")


def test_patients_whose_label_the_task_does_not_use_are_not_compared(folder, task):
    text = "image,patient_id,label\n0.png,7,MDS\n1.png,007,AML\n2.png,b,donor\n"
    assert read_cohort(write(folder, text), task).ignored == {"AML": 1}


def test_the_finding_can_be_ignored_and_others_cannot(folder, task, caplog):
    path = manifest(folder, "7", "007")
    with caplog.at_level(logging.INFO):
        assert read_cohort(path, task, ignored=["MDS028"]).table["patient_id"].tolist() == [
            "7",
            "007",
            "other",
        ]
    assert "ignored 1 findings with the codes MDS028" in caplog.text
    with pytest.raises(ValueError, match=r"MDS020 cannot be ignored.*MDS028"):
        inspect_manifest(path, task, ignored=["MDS020"])


@given(st.text("019aA-_. \u200b", min_size=1, max_size=6), st.integers(0, 3))
def test_a_spelling_is_similar_to_the_original(patient, zeros):
    if not any(character.isalnum() for character in patient):
        return
    spelled = f"\u200b{patient.replace('-', '_')}\u00ad"
    assert similar([patient, spelled]) == [1]
    if patient[0].isdigit():
        spelled = "0" * zeros + patient
        assert similar([patient, spelled]) == ([1] if zeros else [])


# Several patients under one id


@pytest.mark.parametrize(
    "value",
    [
        "nan", "NaN", "NULL", "None", "NA", "N/A", "<NA>", "NaT", "#N/A", "#REF!", "#DIV/0!", "#VALUE!",
        "#NAME?", "#BEZUG!", "#WERT!", "#NV", "########", "Err:502", "-", "?", "\u200b",
    ],
)  # fmt: skip
def test_what_stands_for_an_empty_cell_is_no_id(folder, task, value):
    errors = errors_of(manifest(folder, value, "b"), task)
    assert [error[:2] for error in errors] == [(2, "patient_id")]
    assert "spreadsheet" in errors[0][2] or "would be one patient" in errors[0][2]


@pytest.mark.parametrize("column", ["label", "site"])
def test_error_values_are_refused_in_labels_and_sites(folder, task, column):
    row = {"patient_id": "a", "label": "MDS", "site": "S"} | {column: "#REF!"}
    cells = ",".join(row.values())
    text = f"image,patient_id,label,site\n0.png,{cells}\n1.png,b,MDS,S\n2.png,c,donor,S\n"
    assert one_error(write(folder, text), task)[:2] == (2, column)


@pytest.mark.parametrize("value", ["1.23457E+11", "1,23457E+11", "1.23457e11", "1e+05", "-1.5E-3"])
def test_a_number_in_scientific_notation_is_no_id(folder, task, value):
    row, column, message = one_error(manifest(folder, value, "b"), task)
    assert (row, column) == (2, "patient_id")
    assert "several patients may have become one" in message
    assert "export the ids again as text" in message


@pytest.mark.parametrize("value", ["12E3", "1e5", "12345e67", "E+1", "NaNa", "#12", "Null-1", "nine"])
def test_ids_that_resemble_them_are_kept(folder, task, value):
    assert read_cohort(manifest(folder, value, "b"), task).table["patient_id"][0] == value


def test_ids_that_were_rounded_to_a_float_are_refused(folder, task):
    frame = pd.DataFrame(
        {"image": ["0.png", "1.png"], "patient_id": [1.5e17, 7.0], "label": ["MDS", "donor"]}
    )
    frame.to_parquet(folder / "m.parquet")
    row, column, message = one_error(folder / "m.parquet", task)
    assert (row, column) == (2, "patient_id")
    assert "rounded: export the ids again as text" in message
