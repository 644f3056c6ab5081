"""The cells of a manifest's known columns as clean text."""

import json
import re
import unicodedata
from collections.abc import Hashable

import numpy as np
import pandas as pd

from mds_lightning.cohort.finding import Complaint

REQUIRED = ("image", "patient_id", "label")
OPTIONAL = ("site", "external", "mask", "boxes")
KNOWN = REQUIRED + OPTIONAL
#: Composed and decomposed letters ('ü' as one or two code points) are one patient, not two. Paths stay.
_NAMES = ("patient_id", "label", "site")
TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no", "")
_LEADING_ZERO = re.compile(r"[+-]?0\d")


def clean_cells(frame: pd.DataFrame, file: str) -> tuple[pd.DataFrame, list[Complaint]]:
    """Turn the known columns of `frame` into text ('' where empty) without blanks around it.

    Args:
        frame: Cells as `read_table` gives them; the index is the row of the spreadsheet.
        file: The manifest, for the complaints.

    Returns:
        The frame with its known columns as text, and a complaint for every cell that was changed or is no
        text. Nothing is taken for missing but an empty cell: 'NA' is a text, and '007' stays '007'.
    """
    complaints: list[Complaint] = []
    cleaned = frame.copy()
    for column in (name for name in KNOWN if name in frame.columns):
        text = frame[column].map(_text).astype("object")
        for row in text.index[text.isna()].tolist():
            kind = type(frame.loc[row, column]).__name__
            hint = " (boxes are JSON text)" if column == "boxes" else ""
            complaints.append(
                Complaint(
                    "error", file, row, column, f"holds a {kind}, not a text: save the column as text{hint}"
                )
            )
        text = text.fillna("").astype("str")
        stripped = text.str.strip()
        for row in text.index[text != stripped].tolist():
            message = f"'{text.loc[row]}' has blanks around it: they were left out"
            complaints.append(Complaint("warning", file, row, column, message))
        if column in _NAMES:
            stripped = stripped.map(lambda value: unicodedata.normalize("NFC", value)).astype("str")
        cleaned[column] = stripped
    return cleaned, complaints


def parse_external(text: pd.Series) -> pd.Series:
    """Truth values of the clean texts of `external`; text that the schema refuses counts as false."""
    return text.str.lower().isin(TRUE)


def parse_clinical(column: pd.Series) -> pd.Series:
    """A further column as numbers, if all its filled cells are numbers without leading zeros; else as it is.

    Empty cells of a column of text become missing (NaN).
    """
    if not pd.api.types.is_string_dtype(column):
        return column
    text = column.str.strip()
    filled = text[text.notna() & (text != "")]
    if len(filled) and not filled.str.match(_LEADING_ZERO).any():
        numbers = pd.to_numeric(filled, errors="coerce")
        if np.isfinite(numbers).all():
            return numbers.reindex(column.index)
    return text.where(text != "")


def boxes_fault(text: str) -> str | None:
    """What is wrong with the JSON of `boxes`, or None.

    Right are '' and a list of [x0, y0, x1, y1] in pixels with 0 <= x0 < x1 and 0 <= y0 < y1.
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
            return f"has the box {json.dumps(box)}, which has no area or begins left of or above the image"
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _text(value: Hashable) -> str | None:
    """Text of one cell of a CSV or Parquet file; None for what is not a single value."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        # A column of whole numbers with empty cells arrives as floats: 7.0 was a 7.
        return "" if np.isnan(value) else str(int(value) if value.is_integer() else float(value))
    return None
