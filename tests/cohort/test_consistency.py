import pytest

from mds_lightning.cohort.manifest import read_cohort
from mds_lightning.cohort.task import Task

from .manifests import PLAIN, errors_of, one_error, write


@pytest.mark.parametrize(
    ("rows", "row", "column", "message"),
    [
        (",p2,MDS", 5, "image", "is empty"),
        ("3.png,,MDS", 5, "patient_id", "is empty"),
        ("3.png,p2,", 5, "label", "is empty"),
        ("3.png,p2", 5, None, "has 2 cells where the header has 3"),
        ("3.png;p2;MDS", 5, None, "separated by a semicolon"),
        ("3.png,p2,MDS,more", 5, None, "has 4 cells where the header has 3"),
        ("3.png,p0,donor", 5, "label", "'donor' here and 'MDS' in row 2"),
        ("0.png,p0,MDS", 5, "image", "already in row 2"),
        ("./0.png,p0,MDS", 5, "image", "already in row 2"),
        ("a/../0.png,p0,MDS", 5, "image", "(as '0.png')"),
        ("0.png,p2,MDS", 5, "image", "under patient 'p0' and here under 'p2'"),
        ("../0.png,p2,MDS", 5, "image", "leads outside"),
        ("a/../../0.png,p2,MDS", 5, "image", "leads outside"),
        ("/etc/passwd,p2,MDS", 5, "image", "is absolute"),
        ("C:\\images\\0.png,p2,MDS", 5, "image", "is absolute"),
        ("absent.png,p2,MDS", 5, "image", "is not under"),
        ("3.jpg,p2,MDS", 5, "image", "did you mean '3.png'?"),
        ("nowhere/3.png,p2,MDS", 5, "image", "there is no folder 'nowhere'"),
        (".,p2,MDS", 5, "image", "is not a regular file"),
        ("empty.png,p2,MDS", 5, "image", "0 bytes"),
        ("copy.png,p2,MDS", 5, "image", "same photograph (same bytes) as '0.png' in row 2 of patient 'p0'"),
        ("hard.png,p0,MDS", 5, "image", "the same file as '0.png' in row 2"),
        ("linked.png,p2,MDS", 5, "image", "leads outside"),
        ("outside/secret.png,p2,MDS", 5, "image", "leads outside"),
        ("broken.png,p2,MDS", 5, "image", "is not under"),
        ("sub\\3.png,p2,MDS", 5, "image", "write / instead of \\"),
    ],
)  # fmt: skip
def test_an_invalid_row_is_reported_at_its_position(folder, task, rows, row, column, message):
    beyond = folder.parent / f"{folder.name}-beyond"
    beyond.mkdir()
    (beyond / "secret.png").write_bytes(b"secret")
    (folder / "a").mkdir()
    (folder / "sub").mkdir()
    (folder / "sub" / "3.png").write_bytes(b"below")
    (folder / "empty.png").touch()
    (folder / "copy.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "hard.png").hardlink_to(folder / "0.png")
    (folder / "linked.png").symlink_to(beyond / "secret.png")
    (folder / "outside").symlink_to(beyond)
    (folder / "broken.png").symlink_to(folder / "gone.png")
    errors = errors_of(write(folder, PLAIN + rows + "\n"), task)
    assert (row, column) == errors[0][:2]
    assert message in errors[0][2]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("external", "maybe", "'maybe' is neither true nor false"),
        ("external", "2", "neither true nor false"),
        ("mask", "absent.png", "is not under"),
        ("mask", "../mask.png", "leads outside"),
        ("boxes", "[[1, 2, 3", "is not JSON"),
        ("boxes", "{}", "is not a list"),
        ("boxes", "[[1, 2, 3]]", "not four numbers"),
        ("boxes", '[[1, 2, 3, "4"]]', "not four numbers"),
        ("boxes", "[[1, 2, 3, NaN]]", "not four numbers"),
        ("boxes", "[[5, 2, 3, 4]]", "no area"),
        ("boxes", "[[-1, 2, 3, 4]]", "no area"),
    ],
)
def test_an_invalid_optional_cell_is_reported_at_its_position(folder, task, column, cell, message):
    quoted = '"' + cell.replace('"', '""') + '"'
    text = f"image,patient_id,label,{column}\n0.png,p0,MDS,\n1.png,p1,donor,\n2.png,p2,MDS,{quoted}\n"
    row, found, said = one_error(write(folder, text), task)
    assert (row, found) == (4, column)
    assert message in said


def test_valid_masks_and_boxes_are_kept(folder, task):
    text = 'image,patient_id,label,mask,boxes\n0.png,a,MDS,5.png,"[[0, 1.5, 10, 20]]"\n1.png,b,donor,,[]\n'
    table = read_cohort(write(folder, text), task).table
    assert table["mask"].tolist() == ["5.png", ""]
    assert table["boxes"].tolist() == ["[[0, 1.5, 10, 20]]", "[]"]


def test_a_patient_is_external_or_not(folder, task):
    text = "image,patient_id,label,external\n0.png,a,MDS,no\n1.png,a,MDS,yes\n2.png,b,donor,\n"
    row, column, message = one_error(write(folder, text), task)
    assert (row, column) == (3, "external")
    assert "'true' here and 'false' in row 2" in message


def test_a_label_without_rows_is_refused_with_the_existing_labels(folder):
    row, column, message = one_error(write(folder, PLAIN), Task("t", ("donor", "AML")))
    assert (row, column) == (None, "label")
    assert "'AML'" in message
    assert "'MDS', 'donor'" in message
    errors = errors_of(write(folder, PLAIN), Task("t", ("Donor", "MDS")))
    assert "it is spelt 'donor' here" in errors[0][2]


def test_each_class_needs_one_internal_patient_for_each_fold(folder, task):
    text = (
        "image,patient_id,label,external\n0.png,a,MDS,\n1.png,b,MDS,\n2.png,c,MDS,yes\n3.png,d,donor,\n"
        "4.png,e,donor,\n5.png,f,donor,\n"
    )
    read_cohort(write(folder, text), task, n_splits=2)
    row, column, message = one_error(write(folder, text), task, n_splits=3)
    assert (row, column) == (None, "label")
    assert "'MDS' has fewer patients that are not external (2)" in message
    assert "folds.n_splits=3" in message


def test_conflicting_labels_are_errors_only_if_the_task_uses_both(folder, task, caplog):
    text = PLAIN + "3.png,p0,AML\n4.png,p5,AML\n5.png,p5,CML\n"
    cohort = read_cohort(write(folder, text), task)
    assert len(cohort.table) == 3
    assert "'AML' here and 'MDS' in row 2" in caplog.text
    assert "p5" not in caplog.text


def test_all_findings_are_reported_at_once_with_spreadsheet_rows(folder, task):
    # A cell with a line break and a blank line are one row of a spreadsheet each.
    text = (
        "image,patient_id,label,note\n"
        '0.png,p0,MDS,"two\nlines"\n'
        "\n"
        "1.png,p1,donor,\n"
        "absent.png,p2,MDS,\n"
        ",p3,MDS,\n"
        "1.png,p1,donor,\n"
    )
    found = [(row, column) for row, column, _ in errors_of(write(folder, text), task)]
    assert found == [(5, "image"), (6, "image"), (7, "image")]
