"""Cleaning and parsing of the cells of a manifest."""

import json
import unicodedata
from collections.abc import Hashable

import numpy as np
import pandas as pd

from mds_lightning.cohort.finding import Finding
from mds_lightning.cohort.finding_kinds import NON_TEXT_CELL, SURROUNDING_BLANKS

REQUIRED = ("image", "patient_id", "label")
OPTIONAL = ("site", "external", "mask", "boxes")
KNOWN = REQUIRED + OPTIONAL
#: Columns whose text is normalised to NFC, so that composed and decomposed letters are equal; paths are not.
_NAMES = ("patient_id", "label", "site")
#: Types of the cells of nested and binary columns of a Parquet file.
_NESTED = (np.ndarray, list, tuple, dict, set, bytes)
TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


def clean_cells(frame: pd.DataFrame, file: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Convert the known columns of `frame` to text without surrounding blanks ('' where empty).

    Args:
        frame: Cells as `read_table` returns them; the index is the row of the spreadsheet.
        file: The manifest, for the findings.

    Returns:
        The frame with its known columns as text, and a finding for every cell that was changed or is not
        text, or that holds several values. Only empty cells are missing: 'NA' is a text, and '007' stays
        '007'.
    """
    findings: list[Finding] = []
    cleaned = frame.copy()
    for column in (name for name in KNOWN if name in frame.columns):
        text = frame[column].map(_text).astype("object")
        for row in text.index[text.isna()].tolist():
            kind = type(frame.loc[row, column]).__name__
            hint = " (boxes are JSON text)" if column == "boxes" else ""
            finding, remedy = f"contains a {kind}, not a text", f"save the column as text{hint}"
            findings.append(Finding(NON_TEXT_CELL, file, row, column, finding, remedy))
        text = text.fillna("").astype("str")
        stripped = text.str.strip()
        for row in text.index[text != stripped].tolist():
            finding = f"'{text.loc[row]}' has surrounding blanks, which are ignored"
            findings.append(Finding(SURROUNDING_BLANKS, file, row, column, finding, "remove them"))
        if column in _NAMES:
            stripped = stripped.map(lambda value: unicodedata.normalize("NFC", value)).astype("str")
        cleaned[column] = stripped
    for column in (name for name in frame.columns if name not in KNOWN):
        findings += _nested(frame[column], file)
    return cleaned, findings


def _nested(column: pd.Series, file: str) -> list[Finding]:
    """A finding if cells of a clinical column of a Parquet file hold several values each."""
    if column.dtype != object:
        return []
    nested = column[column.map(lambda value: isinstance(value, _NESTED))]
    if nested.empty:
        return []
    kind = "list" if isinstance(nested.iloc[0], np.ndarray) else type(nested.iloc[0]).__name__
    finding = f"contains a {kind}, not a single value, in {len(nested)} rows"
    remedy = "save the column as text or numbers, or leave it out"
    return [Finding(NON_TEXT_CELL, file, int(nested.index[0]), str(column.name), finding, remedy)]


def parse_external(text: pd.Series) -> pd.Series:
    """Booleans of the clean texts of `external`; text that the schema refuses is false."""
    return text.str.lower().isin(TRUE)


def boxes_fault(text: str) -> str | None:
    """Why a cell of `boxes` is invalid, or None.

    Valid are '' and a JSON list of [x0, y0, x1, y1] in pixels with 0 <= x0 < x1 and 0 <= y0 < y1.
    """
    if not text:
        return None
    try:
        boxes = json.loads(text)
    except ValueError as error:
        return f"is not JSON ({error})"
    if not isinstance(boxes, list):
        return "is not a list"
    for box in boxes:
        if not (isinstance(box, list) and len(box) == 4 and all(_is_number(edge) for edge in box)):
            return f"has the box {json.dumps(box)}, which is not four numbers"
        if not (0 <= box[0] < box[2] and 0 <= box[1] < box[3]):
            return f"has the box {json.dumps(box)}, which has no area or negative coordinates"
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _text(value: Hashable) -> str | None:
    """Text of one cell of a CSV or Parquet file; None if it is not a single value."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        # pandas reads a column of integers with empty cells as floats: 7.0 was 7.
        return "" if np.isnan(value) else str(int(value) if value.is_integer() else float(value))
    return None
