import pytest

from .manifests import PLAIN, errors_of, one_error, write


@pytest.mark.parametrize(
    ("header", "column", "hint"),
    [
        ("image,patient,label", "patient_id", "rename 'patient' to 'patient_id'"),
        ("Image,patient_id,label", "image", "rename 'Image' to 'image'"),
        ("image,Patient ID,label", "patient_id", "rename 'Patient ID' to 'patient_id'"),
        ("image,patient_id,diagnosis", "label", "the header has image, patient_id, diagnosis"),
    ],
)
def test_a_missing_column_is_reported_with_the_most_similar_one(folder, task, header, column, hint):
    row, found, message = one_error(write(folder, PLAIN.replace("image,patient_id,label", header)), task)
    assert (row, found) == (1, column)
    assert "missing" in message
    assert hint in message


def test_repeated_and_unnamed_columns_are_refused(folder, task):
    text = "image,patient_id,label,label,\n0.png,a,MDS,donor,\n1.png,b,donor,MDS,note\n"
    errors = errors_of(write(folder, text), task)
    assert [(row, column) for row, column, _ in errors] == [(1, "label"), (3, None)]
    assert "2 times in the header" in errors[0][2]
    assert "no name" in errors[1][2]


@pytest.mark.parametrize("name", ["External", "EXTERNAL", "Mask"])
def test_a_misspelt_optional_column_is_not_a_clinical_column(folder, task, name):
    text = f"image,patient_id,label,{name}\n0.png,p0,MDS,\n1.png,p1,donor,\n"
    row, column, message = one_error(write(folder, text), task)
    assert (row, column) == (1, name)
    assert "rename it" in message


def test_findings_in_the_header_do_not_hide_those_in_rows(folder, task):
    text = "image,patient,label\n0.png,a,MDS\n0.png,a,\nabsent.png,b,donor\n"
    found = [(row, column) for row, column, _ in errors_of(write(folder, text), task)]
    assert found == [(1, "patient_id"), (3, "label"), (3, "image"), (4, "image")]
