"""Parsing of the clinical columns of a manifest: numbers as numbers, everything else as text."""

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from mds_lightning.cohort.finding import Finding
from mds_lightning.cohort.finding_kinds import DECIMAL_COMMA, NEARLY_NUMERIC
from mds_lightning.cohort.manifest_cells import KNOWN
from mds_lightning.cohort.visible_text import show_invisible

_LEADING_ZERO = re.compile(r"[+-]?0\d")
_COMMA = re.compile(r"[+-]?\d+,\d+")
#: One separator before three digits: of thousands, or of decimals.
_AMBIGUOUS_COMMA, _AMBIGUOUS_POINT = (
    re.compile(rf"[+-]?[1-9]\d{{0,2}}{mark}\d{{3}}") for mark in (",", r"\.")
)
#: Fractions of the cells that are numbers from which the other cells count as missing, or are reported.
_NEARLY, _REPORTED = 0.75, 0.5
#: With fewer different numbers, a column with other cells is one of categories (grades 1, 2 and 3b).
_FEWEST_NUMBERS = 6
_MOST_LISTED = 5
_REMEDY = "correct them, or leave them empty"


@dataclass(frozen=True)
class ClinicalColumn:
    """A clinical column as it is used.

    Attributes:
        values: Numbers, or text; missing (NaN) where a cell is empty or not used.
        others: Cells that are no numbers in a column that mostly has numbers.
        commas: Numbers with a decimal comma.
        is_ambiguous: Whether the commas may separate thousands; the column is then text.
    """

    values: pd.Series
    others: pd.Series
    commas: pd.Series
    is_ambiguous: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether `values` are numbers."""
        return pd.api.types.is_numeric_dtype(self.values)


def parse_clinical(column: pd.Series) -> pd.Series:
    """A clinical column as numbers if its cells are, else as text (see `read_clinical`)."""
    return read_clinical(column).values


def read_clinical(column: pd.Series) -> ClinicalColumn:
    """Read a clinical column.

    A column of text becomes numbers if at least three quarters of its filled cells are numbers, of which six
    or more differ; the other cells are then missing. Fewer different numbers are enough if all cells are
    numbers. A decimal comma is read as a point, unless all commas could separate thousands. A column with
    leading zeros holds identifiers, and stays text.

    Args:
        column: Cells as `read_table` returns them.
    """
    none = column.iloc[:0]
    if not pd.api.types.is_string_dtype(column):
        decimals = column.map(lambda value: isinstance(value, Decimal)).any()
        return ClinicalColumn(column.astype(float) if decimals else column, none, none)
    text = column.str.strip()
    filled = text[text.notna() & (text != "")]
    kept = ClinicalColumn(text.where(text != ""), none, none)
    if filled.empty or filled.str.match(_LEADING_ZERO).any():
        return kept
    commas = filled[filled.str.fullmatch(_COMMA)]
    plain = filled.drop(commas.index)
    if len(commas):
        plain = plain[~plain.str.fullmatch(_AMBIGUOUS_POINT)]
    is_ambiguous = bool(len(commas) and commas.str.fullmatch(_AMBIGUOUS_COMMA).all())
    numbers = pd.to_numeric(pd.concat([plain, commas.str.replace(",", ".")]), errors="coerce")
    numbers = numbers[np.isfinite(numbers)]
    others = filled.drop(numbers.index)
    fraction = len(numbers) / len(filled)
    if len(others) and (fraction < _REPORTED or numbers.nunique() < _FEWEST_NUMBERS):
        return kept
    if is_ambiguous or fraction < _NEARLY:
        return ClinicalColumn(kept.values, others, commas, is_ambiguous)
    return ClinicalColumn(numbers.reindex(column.index), others, commas)


def check_clinical(frame: pd.DataFrame, file: str) -> list[Finding]:
    """Find clinical columns of numbers with other cells, or with decimal commas: one finding for each column.

    Args:
        frame: Cells as `clean_cells` returns them; the index is the row of the spreadsheet.
        file: The manifest, for the findings.
    """
    findings = []
    for name in (name for name in frame.columns if name not in KNOWN):
        column = read_clinical(frame[name])
        numbers = int(column.values.count()) if column.is_numeric else len(frame) - len(column.others)
        if len(column.others):
            use = "they count as missing" if column.is_numeric else "the column is used as text"
            finding = f"has numbers in {numbers} rows, and {_listed(column.others)}; {use}"
            findings.append(
                Finding(NEARLY_NUMERIC, file, int(column.others.index[0]), name, finding, _REMEDY)
            )
        if len(column.commas):
            first = column.commas.iloc[0]
            finding = (
                f"has numbers with a comma, such as '{first}', which may be decimal or of thousands; "
                "the column is used as text"
                if column.is_ambiguous
                else f"has decimal commas; '{first}' is read as {first.replace(',', '.')}"
                if column.is_numeric
                else f"has decimal commas, such as '{first}'; the column is used as text"
            )
            remedy = "write decimal points, and no separators of thousands"
            findings.append(Finding(DECIMAL_COMMA, file, int(column.commas.index[0]), name, finding, remedy))
    return findings


def _listed(others: pd.Series) -> str:
    """`'65+' (rows 7, 9) and 'unknown' (row 5)`: values and rows, the first of each."""
    shown = []
    for value, rows in list(others.groupby(others, sort=False).groups.items())[:_MOST_LISTED]:
        more = ", ..." if len(rows) > _MOST_LISTED else ""
        numbers = ", ".join(map(str, rows[:_MOST_LISTED]))
        shown.append(f"'{show_invisible(str(value))}' (row{'s' if len(rows) > 1 else ''} {numbers}{more})")
    if (rest := others.nunique() - len(shown)) > 0:
        shown.append(f"{rest} more")
    return ", ".join(shown)
