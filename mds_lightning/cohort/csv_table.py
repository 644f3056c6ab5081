"""Parsing of CSV files: encoding, delimiter, and the spreadsheet row of each record."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator

import pandas as pd

from mds_lightning.cohort.finding import Finding
from mds_lightning.cohort.finding_kinds import (
    AMBIGUOUS_HEADER,
    RAGGED_ROW,
    SURROUNDING_BLANKS,
    UNREADABLE_MANIFEST,
)
from mds_lightning.cohort.path_or_url import File

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
#: First line by which Excel is told the delimiter; it is no row of the spreadsheet.
_SEPARATOR = re.compile(r'("?)sep=([^"\r\n])\1(?:\r\n|\r|\n|$)', re.IGNORECASE)
#: First bytes of files that are not CSV files in UTF-8.
_ZIP, _UTF16 = b"PK\x03\x04", (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS_UTF8 = "save it as 'CSV UTF-8' (Excel and LibreOffice: Save As)"


def parse_csv(path: File, content: bytes, findings: list[Finding]) -> pd.DataFrame:
    """Parse a CSV file into text cells; the index is the row of the spreadsheet (header = 1).

    Args:
        path: The file of `content`, for the findings.
        content: The whole file.
        findings: Findings are appended here. What cannot be read is missing from the result.
    """
    text = _decode(path, content, findings)
    if text is None:
        return pd.DataFrame()
    text, named = _read_separator(text)
    delimiter = named or _delimiter(text)
    records = _records(path, text, delimiter, findings)
    header_row, header = next((found for found in records if any(found[1])), (1, []))
    columns = _header(path, header_row, header, findings)
    if len(columns) < 2:
        if header or not findings:  # Otherwise a finding says that the header cannot be read.
            findings.append(
                Finding(
                    *(AMBIGUOUS_HEADER, str(path), header_row, None),
                    f"the header is the single cell '{''.join(columns)}'",
                    "write image, patient_id and label, separated by commas, semicolons or tabs",
                )
            )
        return pd.DataFrame()
    rows, cells = [], []
    for row, record in records:
        if not any(cell.strip() for cell in record):
            continue  # A blank line, which the spreadsheet counts too.
        surplus = [cell for cell in record[len(columns) :] if cell.strip()]
        if surplus or len(record) < len(columns):
            findings.append(Finding(RAGGED_ROW, str(path), row, None, *_ragged(record, columns, delimiter)))
        rows.append(row)
        cells.append((record + [""] * len(columns))[: len(columns)])
    frame = pd.DataFrame(cells, columns=range(len(columns)), dtype="str")
    kept = [place for place, name in enumerate(columns) if name and columns.index(name) == place]
    for place in (place for place, name in enumerate(columns) if not name):
        filled = frame.index[frame[place].str.strip() != ""]
        if len(filled):
            finding = f"column {place + 1} has values but no name"
            remedy = "name it in the header, or remove it"
            findings.append(Finding(AMBIGUOUS_HEADER, str(path), rows[filled[0]], None, finding, remedy))
    frame = frame[kept]
    frame.columns = [columns[place] for place in kept]
    frame.index = pd.Index(rows, name="row", dtype="int64")
    return frame


def _decode(path: File, content: bytes, findings: list[Finding]) -> str | None:
    row = None
    if content.startswith(_ZIP):
        finding = "is a spreadsheet or an archive, not a CSV file"
    elif content.startswith(_UTF16) or b"\x00" in content:
        finding = "is in UTF-16 or another multi-byte encoding, not in UTF-8"
    else:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            row = content.count(b"\n", 0, error.start) + 1
            finding = f"is not in UTF-8 (byte 0x{content[error.start]:02x}, perhaps Latin-1 or Windows-1252)"
    findings.append(Finding(UNREADABLE_MANIFEST, str(path), row, None, finding, _SAVE_AS_UTF8))
    return None


def _read_separator(text: str) -> tuple[str, str | None]:
    """The text without a first line `sep=;`, which Excel does not show, and the delimiter that it names."""
    found = _SEPARATOR.match(text)
    return (text, None) if found is None else (text[found.end() :], found[2])


def _delimiter(text: str) -> str:
    """The delimiter that splits the header into most columns; a comma if none does."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _records(
    path: File, text: str, delimiter: str, findings: list[Finding]
) -> Iterator[tuple[int, list[str]]]:
    """Row of the spreadsheet and cells; a quoted cell with line breaks belongs to one row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    while True:
        row += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            finding = f"cannot be read from here on ({error})"
            remedy = 'close the double quote ("), or remove it from inside the cell'
            findings.append(Finding(UNREADABLE_MANIFEST, str(path), row, None, finding, remedy))
            return
        yield row, record


def _header(path: File, row: int, header: list[str], findings: list[Finding]) -> list[str]:
    columns = [unicodedata.normalize("NFC", name).strip() for name in header]
    while columns and not columns[-1]:
        columns.pop()  # Spreadsheets may append empty columns.
    columns += [""] * (len(header) - len(columns))
    for name, original in zip(columns, header, strict=True):
        if name != unicodedata.normalize("NFC", original):
            finding = f"the name '{original}' has surrounding blanks, which are ignored"
            findings.append(Finding(SURROUNDING_BLANKS, str(path), row, name, finding, "remove them"))
    for name in dict.fromkeys(columns):
        if name and columns.count(name) > 1:
            finding = f"occurs {columns.count(name)} times in the header"
            findings.append(Finding(AMBIGUOUS_HEADER, str(path), row, name, finding, "keep one of them"))
    return columns


def _ragged(record: list[str], columns: list[str], delimiter: str) -> tuple[str, str]:
    """Finding and remedy for a row whose number of cells differs from that of the header."""
    others = [
        name
        for other, name in DELIMITERS.items()
        if other != delimiter and any(other in cell for cell in record)
    ]
    hint = f"; its cells may be separated by a {others[0]}" if others and len(record) < len(columns) else ""
    return (
        f"has {len(record)} cells where the header has {len(columns)} "
        f"(delimiter: {DELIMITERS.get(delimiter, delimiter)}){hint}",
        "put double quotes around cells that contain the delimiter",
    )
