"""A CSV file as text: which encoding and delimiter, and the spreadsheet's row of each record."""

import csv
import io
import unicodedata
from collections.abc import Iterator

import pandas as pd

from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.path_or_url import File

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
#: First bytes that tell a file which is not a CSV in UTF-8.
_ZIP, _UTF16 = b"PK\x03\x04", (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS_UTF8 = "save it as 'CSV UTF-8' (Excel and LibreOffice offer that under Save As)"


def parse_csv(path: File, content: bytes, complaints: list[Complaint]) -> pd.DataFrame:
    """Cells of `content` as text, the index being the row of the spreadsheet (header = 1).

    Args:
        path: Where `content` came from, for the complaints.
        content: A whole file.
        complaints: What is wrong is added here. What cannot be read is left out of the result.
    """
    text = _decode(path, content, complaints)
    if text is None:
        return pd.DataFrame()
    delimiter = _delimiter(text)
    records = _records(path, text, delimiter, complaints)
    header_row, header = next((found for found in records if any(found[1])), (1, []))
    columns = _header(path, header_row, header, complaints)
    if len(columns) < 2:
        if header or not complaints:  # Else the complaint is that the header could not be read.
            message = (
                f"the header is the single cell '{''.join(columns)}': it needs image, patient_id and label, "
                "separated by commas, semicolons or tabs"
            )
            complaints.append(Complaint("error", str(path), header_row, None, message))
        return pd.DataFrame()
    rows, cells = [], []
    for row, record in records:
        if not any(cell.strip() for cell in record):
            continue  # A blank line; the spreadsheet counts it.
        surplus = [cell for cell in record[len(columns) :] if cell.strip()]
        if surplus or len(record) < len(columns):
            complaints.append(Complaint("error", str(path), row, None, _ragged(record, columns, delimiter)))
        rows.append(row)
        cells.append((record + [""] * len(columns))[: len(columns)])
    frame = pd.DataFrame(cells, columns=range(len(columns)), dtype="str")
    kept = [place for place, name in enumerate(columns) if name and columns.index(name) == place]
    for place in (place for place, name in enumerate(columns) if not name):
        filled = frame.index[frame[place].str.strip() != ""]
        if len(filled):
            message = f"column {place + 1} has values but no name: name it in the header, or remove it"
            complaints.append(Complaint("error", str(path), rows[filled[0]], None, message))
    frame = frame[kept]
    frame.columns = [columns[place] for place in kept]
    frame.index = pd.Index(rows, name="row", dtype="int64")
    return frame


def _decode(path: File, content: bytes, complaints: list[Complaint]) -> str | None:
    row = None
    if content.startswith(_ZIP):
        message = "is a spreadsheet or an archive, not a CSV: " + _SAVE_AS_UTF8
    elif content.startswith(_UTF16) or b"\x00" in content:
        message = "is in UTF-16 or another encoding of several bytes a letter, not in UTF-8: " + _SAVE_AS_UTF8
    else:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            row = content.count(b"\n", 0, error.start) + 1
            message = (
                f"is not in UTF-8 (byte 0x{content[error.start]:02x}, perhaps Latin-1 or Windows-1252): "
                + _SAVE_AS_UTF8
            )
    complaints.append(Complaint("error", str(path), row, None, message))
    return None


def _delimiter(text: str) -> str:
    """The delimiter that splits the header into most columns; a comma where none does."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _records(
    path: File, text: str, delimiter: str, complaints: list[Complaint]
) -> Iterator[tuple[int, list[str]]]:
    """Row of the spreadsheet and cells; a quoted cell with line breaks is one row there as here."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    while True:
        row += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = (
                f'cannot be read from here on ({error}): a double quote (") is not closed or is inside a cell'
            )
            complaints.append(Complaint("error", str(path), row, None, message))
            return
        yield row, record


def _header(path: File, row: int, header: list[str], complaints: list[Complaint]) -> list[str]:
    columns = [unicodedata.normalize("NFC", name).strip() for name in header]
    while columns and not columns[-1]:
        columns.pop()  # Spreadsheets leave empty columns at the end.
    columns += [""] * (len(header) - len(columns))
    for name, original in zip(columns, header, strict=True):
        if name != unicodedata.normalize("NFC", original):
            message = f"the name '{original}' has blanks around it: they were left out"
            complaints.append(Complaint("warning", str(path), row, name, message))
    for name in dict.fromkeys(columns):
        if name and columns.count(name) > 1:
            message = f"stands {columns.count(name)} times in the header: keep one of them"
            complaints.append(Complaint("error", str(path), row, name, message))
    return columns


def _ragged(record: list[str], columns: list[str], delimiter: str) -> str:
    others = [
        name
        for other, name in DELIMITERS.items()
        if other != delimiter and any(other in cell for cell in record)
    ]
    hint = (
        f"; its cells seem to be separated by a {others[0]}" if others and len(record) < len(columns) else ""
    )
    return (
        f"has {len(record)} cells where the header has {len(columns)} (delimiter: {DELIMITERS[delimiter]})"
        f"{hint}: put double quotes around cells that hold the delimiter"
    )
