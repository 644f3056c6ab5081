import logging
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mds_lightning.cohort.manifest import inspect_manifest, read_cohort
from mds_lightning.cohort.task import Task

from .manifests import PLAIN, errors_of, findings_of, one_error, write

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
    text = "image,patient_id,label,site\n0.png,007,NA,NULL\n1.png,12E3,nan,1e3\n2.png,8.5,None,\n"
    table = read_cohort(write(folder, text), Task("t", ("NA", "nan", "None"))).table
    assert table["patient_id"].tolist() == ["007", "12E3", "8.5"]
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
    (warning,) = findings_of(write(folder, PLAIN + "3.png,P0,MDS\n"), task)
    assert (warning.severity, warning.row, warning.column) == ("warning", 5, "patient_id")


def test_many_warnings_are_not_all_logged(folder, task, caplog):
    for number in range(8, 60):
        (folder / f"{number}.png").write_bytes(b"image %d" % number)
    rows = "".join(f" {number}.png,p{number},MDS\n" for number in range(3, 60))
    read_cohort(write(folder, PLAIN + rows), task)
    assert len(caplog.records) == 6
    assert "52 more warnings" in caplog.text


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
