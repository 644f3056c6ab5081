import logging
import os
import pickle
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mds_lightning.cohort.finding import CohortError, Finding
from mds_lightning.cohort.finding_kinds import EMPTY_CELL
from mds_lightning.cohort.manifest import inspect_manifest, read_cohort
from mds_lightning.cohort.task import Task

PLAIN = "image,patient_id,label\n0.png,p0,MDS\n1.png,p0,MDS\n2.png,p1,donor\n"


def write(folder, text, name="manifest.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def findings_of(path, task, **options):
    return inspect_manifest(path, task, **options).findings


def errors_of(path, task, **options):
    """(row, column, message) of every error `read_cohort` raises."""
    with pytest.raises(CohortError) as raised:
        read_cohort(path, task, **options)
    assert all(finding.severity == "error" for finding in raised.value.findings)
    assert all(finding.file == str(path) for finding in raised.value.findings)
    return [(finding.row, finding.column, finding.message) for finding in raised.value.findings]


def one_error(path, task, **options):
    errors = errors_of(path, task, **options)
    assert len(errors) == 1, errors
    return errors[0]


# Reading


@pytest.mark.parametrize(
    ("encode", "name"),
    [
        (lambda text: text.encode(), "m.csv"),
        (lambda text: text.encode("utf-8-sig"), "m.csv"),
        (lambda text: text.replace(",", ";").encode(), "m.csv"),
        (lambda text: text.replace(",", "\t").encode("utf-8-sig"), "m.tsv"),
        (lambda text: text.replace("\n", "\r\n").encode(), "m.csv"),
        (lambda text: text.replace("\n", ",,\n").encode(), "m.csv"),
        (lambda text: ("\n" + text + "\n\n").encode(), "m.txt"),
    ],
    ids=["comma", "bom", "semicolon", "tab", "crlf", "trailing-empty-columns", "blank-lines"],
)
def test_all_csv_dialects_give_the_same_cohort(folder, task, encode, name):
    plain = read_cohort(write(folder, PLAIN), task)
    other = read_cohort(write(folder, encode(PLAIN), name), task)
    pd.testing.assert_frame_equal(other.table, plain.table)
    assert other.hash == plain.hash


def test_parquet_gives_the_same_cohort_as_csv(folder, task):
    text = (
        "image,patient_id,label,site,external,age,iron\n0.png,7,MDS,A,true,61,\n1.png,8,donor,,false,40,2.5\n"
    )
    frame = pd.DataFrame(
        {
            "image": ["0.png", "1.png"],
            "patient_id": [7, 8],
            "label": pd.Categorical(["MDS", "donor"]),
            "site": ["A", None],
            "external": [True, False],
            "age": [61, 40],
            "iron": [None, 2.5],
        }
    )
    frame.to_parquet(folder / "m.parquet")
    one, other = (
        read_cohort(write(folder, text), task, n_splits=0),
        read_cohort(folder / "m.parquet", task, n_splits=0),
    )
    pd.testing.assert_frame_equal(one.table, other.table, check_dtype=False)
    assert one.hash == other.hash


def test_a_parquet_file_is_recognised_by_its_content(folder, task):
    pd.DataFrame(
        {"image": ["0.png", "1.png"], "patient_id": ["a", "b"], "label": ["MDS", "donor"]}
    ).to_parquet(folder / "table.dat")
    assert len(read_cohort(folder / "table.dat", task).table) == 2


def test_text_that_resembles_numbers_or_missing_values_stays_text(folder):
    text = "image,patient_id,label,site\n0.png,007,NA,NULL\n1.png,7,nan,1e3\n2.png,NA,None,\n"
    table = read_cohort(write(folder, text), Task("t", ("NA", "nan", "None"))).table
    assert table["patient_id"].tolist() == ["007", "7", "NA"]
    assert table["label"].tolist() == ["NA", "nan", "None"]
    assert table["site"].tolist() == ["NULL", "1e3", ""]


def test_optional_columns_have_defaults(folder, task):
    table = read_cohort(write(folder, PLAIN), task).table
    assert table["site"].tolist() == ["", "", ""]
    assert table["external"].tolist() == [False, False, False]
    assert table["external"].dtype == bool
    assert list(table.index) == [0, 1, 2]


def test_external_accepts_common_boolean_words(folder, task):
    words = ["true", "TRUE", "1", "yes", "Yes ", "false", "0", "no", "No", ""]
    for number in range(8, len(words) + 1):
        (folder / f"{number}.png").write_bytes(b"image %d" % number)
    rows = "".join(f"{number}.png,p{number},MDS,{word}\n" for number, word in enumerate(words))
    text = f"image,patient_id,label,external\n{rows}{len(words)}.png,q,donor,\n"
    assert read_cohort(write(folder, text), task).table["external"].tolist() == [True] * 5 + [False] * 6


def test_clinical_columns_are_kept_with_numbers_as_numbers(folder, task):
    text = (
        "image,patient_id,label,age,hospital_no,who type,comment\n"
        "0.png,a,MDS,61,0012,MDS-EB,\n1.png,b,donor,,12,,NA\n2.png,c,MDS,70.5,3,MDS-LB,ok\n"
    )
    table = read_cohort(write(folder, text), task).table
    assert table["age"].fillna(-1).tolist() == [61, -1, 70.5]
    assert table["hospital_no"].tolist() == ["0012", "12", "3"]
    assert table["who type"].isna().tolist() == [False, True, False]
    assert table["comment"].dropna().tolist() == ["NA", "ok"]


def test_rows_with_other_labels_are_dropped_counted_and_logged(folder, task, caplog):
    text = PLAIN + "3.png,p3,AML\n4.png,p3,AML\n5.png,p4,CML\n"
    with caplog.at_level(logging.INFO):
        cohort = read_cohort(write(folder, text), task)
    assert cohort.ignored == {"AML": 2, "CML": 1}
    assert cohort.table["label"].tolist() == ["MDS", "MDS", "donor"]
    assert "2 rows with label 'AML'" in caplog.text


def test_images_are_relative_to_the_manifest_or_to_the_root(folder, task):
    (folder / "tables").mkdir()
    manifest = write(folder / "tables", PLAIN)
    cohort = read_cohort(manifest, task, root=folder)
    assert cohort.path("0.png").read_bytes() == b"image 0"
    row, column, message = errors_of(manifest, task)[0]
    assert (row, column) == (None, "image")
    assert "none of 3 images" in message
    assert "cohort.root" in message
    assert "is not a folder" in one_error(manifest, task, root=folder / "nowhere")[2]


@pytest.mark.parametrize(("listed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_in_any_unicode_normal_form(folder, task, listed, stored):
    name = "M\u00fcller/B\u00e4r.png"
    on_disk = folder / unicodedata.normalize(stored, name)
    on_disk.parent.mkdir()
    on_disk.write_bytes(b"bear")
    text = f"image,patient_id,label\n{unicodedata.normalize(listed, name)},p,MDS\n1.png,q,donor\n"
    cohort = read_cohort(write(folder, text), task)
    assert cohort.path(cohort.table["image"][0]).read_bytes() == b"bear"


def test_composed_and_decomposed_letters_are_one_patient(folder, task):
    text = "image,patient_id,label\n0.png,M\u00fcller,MDS\n1.png,Mu\u0308ller,donor\n2.png,q,donor\n"
    assert one_error(write(folder, text), task)[:2] == (3, "label")


def test_the_hash_depends_on_what_determines_the_split_only(folder, task):
    base = "image,patient_id,label,site,external,age\n"
    rows = ["0.png,a,MDS,X,no,50\n", "1.png,b,MDS,X,no,51\n", "2.png,c,donor,X,no,52\n"]

    def hash_of(*changed):
        return read_cohort(write(folder, base + "".join(changed)), task).hash

    first = hash_of(*rows)
    assert hash_of(*reversed(rows)) == first
    assert hash_of(rows[0].replace("50", "80"), *rows[1:]) == first
    for old, new in (("0.png", "5.png"), (",a,", ",z,"), ("MDS", "donor"), (",X,", ",Y,"), ("no", "yes")):
        assert hash_of(rows[0].replace(old, new), *rows[1:]) != first


# Invalid files


@pytest.mark.parametrize(
    ("content", "row", "message"),
    [
        (b"", None, "is empty"),
        (b" \n\n", None, "is empty"),
        (b"\xef\xbb\xbf", None, "is empty"),
        (b"image,patient_id,label\n", None, "no rows"),
        (b"image,patient_id,label\n\n,,\n", None, "no rows"),
        (PLAIN.encode("utf-16"), None, "UTF-8"),
        (PLAIN.encode("utf-16-le"), None, "UTF-8"),
        (PLAIN.encode("utf-32"), None, "UTF-8"),
        (PLAIN.replace("p1", "M\u00fcller").encode("latin-1"), 4, "Latin-1"),
        (b"PK\x03\x04" + bytes(40), None, "CSV UTF-8"),
        (b"PAR1" + bytes(40), None, "not a readable Parquet file"),
        (PLAIN.replace(",", "|").encode(), 1, "separated by commas, semicolons or tabs"),
        (PLAIN.replace(",", " ").encode(), 1, "separated by commas, semicolons or tabs"),
        (PLAIN.replace("p1", '"p1').encode(), 4, "double quote"),
    ],
    ids=[
        "empty", "blank", "only-bom", "only-header", "only-blank-rows", "utf-16", "utf-16-without-bom",
        "utf-32", "latin-1", "xlsx", "broken-parquet", "pipe", "space", "open-quote",
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_manifest_is_refused_with_the_reason(folder, task, content, row, message):
    errors = errors_of(write(folder, content), task)
    assert any(found[:2] == (row, None) and message in found[2] for found in errors), errors


def test_absent_files_and_folders_are_refused(folder, task):
    assert "does not exist" in one_error(folder / "absent.csv", task)[2]
    assert "is a folder" in one_error(folder, task)[2]
    write(folder, b"image,patient_id", "m.parquet")
    assert "not a readable Parquet file" in one_error(folder / "m.parquet", task)[2]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_manifest_is_refused(folder, task):
    path = write(folder, PLAIN)
    path.chmod(0)
    assert "permissions" in one_error(path, task)[2]


# Invalid headers


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


# Invalid rows


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


# Warnings


def test_surrounding_blanks_are_removed_and_logged(folder, task, caplog):
    text = "image , patient_id,label\n 0.png,p0 ,MDS\n1.png,p0,MDS\u00a0\n2.png,p1,donor\n"
    table = read_cohort(write(folder, text), task).table
    assert table["patient_id"].tolist() == ["p0", "p0", "p1"]
    assert table["image"][0] == "0.png"
    assert table["label"][1] == "MDS"
    for place in (
        "row 2, column image",
        "row 2, column patient_id",
        "row 3, column label",
        "row 1, column image",
    ):
        assert place in caplog.text


def test_the_same_photograph_twice_of_one_patient_is_a_warning(folder, task, caplog):
    (folder / "copy.png").write_bytes((folder / "0.png").read_bytes())
    read_cohort(write(folder, PLAIN + "copy.png,p0,MDS\n"), task)
    assert "same bytes as '0.png' in row 2" in caplog.text


def test_files_that_differ_only_in_the_middle_are_different(folder, task):
    big = np.random.default_rng(0).bytes(200_000)
    (folder / "0.png").write_bytes(big)
    (folder / "2.png").write_bytes(big[:60_000] + b"!" + big[60_001:])
    assert not findings_of(write(folder, PLAIN), task)


def test_patients_that_differ_only_in_case_are_a_warning(folder, task):
    (warning,) = findings_of(write(folder, PLAIN + "3.png,P 0,MDS\n"), task)
    assert (warning.severity, warning.row, warning.column) == ("warning", 5, "patient_id")


def test_many_warnings_are_not_all_logged(folder, task, caplog):
    for number in range(8, 60):
        (folder / f"{number}.png").write_bytes(b"image %d" % number)
    rows = "".join(f" {number}.png,p{number},MDS\n" for number in range(3, 60))
    read_cohort(write(folder, PLAIN + rows), task)
    assert len(caplog.records) == 6
    assert "52 more warnings" in caplog.text


# The error


def test_the_error_can_be_pickled_and_its_text_is_limited():
    findings = [Finding(EMPTY_CELL, "m.csv", row, "label", "is empty", "fill it") for row in range(1000)]
    error = pickle.loads(pickle.dumps(CohortError(findings)))
    assert error.findings == tuple(findings)
    assert str(error).count("\n") == 100
    assert "m.csv, row 7, column label: is empty: fill it (MDS010)" in str(error)
    assert "900 more" in str(error)


# Arbitrary bytes


WORDS = [
    "image",
    "patient_id",
    "label",
    "external",
    "boxes",
    "0.png",
    "p",
    "MDS",
    "donor",
    "../",
    "[[1,2,3,4]]",
]
MARKS = [",", ";", "\t", "\n", '"', "\x00", "\ufeff", "\u00fc", " ", "\r"]
CELLS = ["0.png", "p", "MDS", "donor", ",", ",", "\n", '"', "yes", "x"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.sampled_from(WORDS + MARKS), max_size=40).map(lambda parts: "".join(parts).encode()),
        st.lists(st.sampled_from(CELLS), max_size=40).map(
            lambda parts: ("image,patient_id,label,external\n" + "".join(parts)).encode()
        ),
    )
)
def test_any_bytes_are_read_or_refused(folder, content):
    inspection = inspect_manifest(write(folder, content), Task("t", ("donor", "MDS")))
    refused = any(finding.severity == "error" for finding in inspection.findings)
    assert refused == (inspection.cohort is None)


def test_a_header_of_blanks_is_refused(folder):
    inspection = inspect_manifest(write(folder, b"\t,"), Task("t", ("donor", "MDS")))
    assert inspection.cohort is None
    assert "has no column names in its first row" in inspection.findings[-1].message


def test_real_smears_are_read_if_available():
    manifest = Path(__file__).parents[3] / "shared/data/wbc_fields/manifest.csv"
    if not manifest.is_file():
        pytest.skip("the shared folder is not beside this repository")
    cohort = read_cohort(manifest, Task("t", ("eosinophil", "basophil")), n_splits=5)
    assert cohort.table["label"].value_counts().to_dict() == {"eosinophil": 100, "basophil": 100}
