import os

import pytest

from mds_lightning.cohort.manifest import read_cohort

from .manifests import PLAIN, errors_of, one_error, write


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


@pytest.mark.parametrize("start", ["sep=;\r\n", '"sep=;"\n', "\ufeffSEP=;\n"])
@pytest.mark.parametrize("delimiter", [";", "|"])
def test_the_first_line_by_which_excel_is_told_the_delimiter(folder, task, start, delimiter):
    text = (start + PLAIN.replace(",", ";")).replace(";", delimiter)
    cohort = read_cohort(write(folder, text), task)
    assert cohort.table["patient_id"].tolist() == ["p0", "p0", "p1"]
    # Excel does not show the line, so the header is row 1.
    row, _, message = one_error(write(folder, text.replace("2.png", "")), task)
    assert row == 4, message
