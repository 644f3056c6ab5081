"""Ids that a spreadsheet or an export has changed: one patient under two ids, or several under one."""

import re
import unicodedata
from collections.abc import Collection

import pandas as pd

from mds_lightning.cohort.finding import Finding
from mds_lightning.cohort.finding_kinds import ERROR_VALUE, SHORTENED_ID, SIMILAR_PATIENTS
from mds_lightning.cohort.visible_text import is_invisible, show_invisible

#: Spreadsheets write an error as # and a word in the language of the user; a column of # was too narrow.
_ERROR_VALUE = re.compile(r"#+|#[^\W\d_]\S*[!?]|#N/?[AV]|Err:\d+", re.IGNORECASE)
#: How programs write an empty cell. As the id of a patient they join all patients without an id.
_MISSING = re.compile(r"nan|<?na>?|n/a|nat|null|none|[-+]?inf", re.IGNORECASE)
#: A decimal sign or the sign of the exponent distinguishes a shortened number from ids such as 12E3.
_SCIENTIFIC = re.compile(r"[+-]?(\d+[.,]\d+E[+-]?\d+|\d+E[+-]\d+)", re.IGNORECASE)

#: Decimal digits that a float64 holds in any number.
_EXACT_DIGITS = 15

_WHOLE_NUMBER = re.compile(r"(\d+)[.,]0+")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_SEPARATOR_BETWEEN_DIGITS = re.compile(r"(?<=\d)-+(?=\d)")
#: Unicode categories of dashes, connecting punctuation (underscore) and blanks.
_SEPARATORS = ("Pd", "Pc", "Zs", "Zl", "Zp")
_MINUS = "\N{MINUS SIGN}"


def check_cells_of_ids(rows: pd.DataFrame, file: str) -> list[Finding]:
    """Find cells of patient_id, label and site that hold no name but an error value or a shortened number.

    Args:
        rows: Clean text; the index is the row of the spreadsheet. Columns may be missing.
        file: The manifest, for the findings.
    """
    findings = []
    for column in (name for name in ("patient_id", "label", "site") if name in rows.columns):
        is_id = column == "patient_id"
        for row, value in zip(rows.index.tolist(), rows[column].tolist(), strict=True):
            if _ERROR_VALUE.fullmatch(value):
                finding, remedy = f"'{value}' is an error value of a spreadsheet", "correct the formula"
                findings.append(Finding(ERROR_VALUE, file, row, column, finding, remedy))
            elif is_id and _stands_for_empty(value):
                finding = (
                    f"'{show_invisible(value)}' stands for an empty cell; all its rows would be one patient"
                )
                remedy = "write the id of each patient, or remove the rows"
                findings.append(Finding(ERROR_VALUE, file, row, column, finding, remedy))
            elif is_id and _SCIENTIFIC.fullmatch(value):
                finding = (
                    f"'{value}' is a number that a spreadsheet or another program has shortened; "
                    "several patients may have become one"
                )
                remedy = (
                    "export the ids again as text (Excel: format the column as Text before the ids are "
                    "entered or imported; it cannot restore lost digits)"
                )
                findings.append(Finding(SHORTENED_ID, file, row, column, finding, remedy))
    return findings


def check_rounded_ids(ids: pd.Series, file: str) -> list[Finding]:
    """Find ids of a Parquet file that were stored as floating-point numbers and have lost digits.

    Args:
        ids: The column patient_id before it was converted to text; the index is the row of the spreadsheet.
        file: The manifest, for the findings.
    """
    if not pd.api.types.is_float_dtype(ids):
        return []
    finding = f"is stored as a floating-point number of more than {_EXACT_DIGITS} digits, which is rounded"
    remedy = "export the ids again as text"
    rows = ids.index[ids.abs() >= 10**_EXACT_DIGITS].tolist()
    return [Finding(SHORTENED_ID, file, row, "patient_id", finding, remedy) for row in rows]


def check_similar_ids(rows: pd.DataFrame, file: str, classes: Collection[str]) -> list[Finding]:
    """Find ids that are probably one patient in two spellings, whose images two folds would share.

    Ids are compared in Unicode normal form NFKC and lower case, without leading zeros, `.0`
    behind it, dashes, underscores, blanks and invisible characters. Between two digits a separator counts, so
    that `1-12` and `11-2` differ, unless one of the two ids has none: `2021-003` and `2021003` are similar.
    Ids that differ only in case are not reported here.

    Args:
        rows: Clean text; the index is the row of the spreadsheet. Columns may be missing.
        file: The manifest, for the findings.
        classes: Labels of the task; patients with other labels are in no fold.
    """
    if "patient_id" not in rows.columns:
        return []
    used = rows[rows["label"].isin(classes)] if "label" in rows.columns else rows
    ids = used.loc[used["patient_id"] != "", "patient_id"].drop_duplicates()
    separated: dict[str, tuple[int, str]] = {}
    joined: dict[str, tuple[int, str]] = {}
    unseparated: dict[str, tuple[int, str]] = {}
    findings = []
    for row, patient in zip(ids.index.tolist(), ids.tolist(), strict=True):
        key, short = _keys(patient)
        if not short:
            continue  # An id of separators alone.
        has_separator = "-" in key
        known = separated.get(key) or (unseparated if has_separator else joined).get(short)
        if known is None:
            separated[key] = joined[short] = (row, patient)
            if not has_separator:
                unseparated[short] = (row, patient)
        elif known[1].casefold() != patient.casefold():
            findings.append(_similar(row, patient, *known, file))
    return findings


def _stands_for_empty(patient: str) -> bool:
    has_name = any(character.isalnum() for character in patient)
    return bool(patient) and (_MISSING.fullmatch(patient) is not None or not has_name)


def _keys(patient: str) -> tuple[str, str]:
    """The id with separators between digits as `-`, and without any separator."""
    characters = unicodedata.normalize("NFKC", patient).casefold()
    kept = []
    for character in characters:
        if character == _MINUS or unicodedata.category(character) in _SEPARATORS:
            kept.append("-")
        elif not is_invisible(character):
            kept.append(character)
    text = "".join(kept).strip("-")
    whole = _WHOLE_NUMBER.fullmatch(text)
    text = whole[1] if whole else text
    marked = _SEPARATOR_BETWEEN_DIGITS.sub("\0", text).replace("-", "")
    separated = _LEADING_ZEROS.sub("", marked).replace("\0", "-")
    return separated, _LEADING_ZEROS.sub("", marked.replace("\0", ""))


def _similar(row: int, patient: str, first_row: int, first: str, file: str) -> Finding:
    finding = (
        f"'{show_invisible(patient)}' and '{show_invisible(first)}' (row {first_row}) are probably one "
        "patient: they differ only in leading zeros, '.0', dashes, underscores, blanks or "
        "invisible characters"
    )
    remedy = (
        "use one spelling; if they are two patients, rename one, or add "
        f"'cohort.ignore=[{SIMILAR_PATIENTS.code}]' to the command"
    )
    return Finding(SIMILAR_PATIENTS, file, row, "patient_id", finding, remedy)
