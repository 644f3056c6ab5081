"""A table as text: CSV or Parquet, with the spreadsheet's row of each record and all that is wrong."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mds_lightning.cohort.complaint import Complaint

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
#: First bytes that tell a file which is not a CSV.
_PARQUET, _ZIP = b"PAR1", b"PK\x03\x04"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS_UTF8 = "save it as 'CSV UTF-8' (Excel and LibreOffice offer that under Save As)"


@dataclass(frozen=True)
class RawTable:
    """What a file holds, before anything is known about its columns.

    Attributes:
        frame: Cells as text without surrounding blanks in the header, '' where empty; of a Parquet file,
            columns of numbers and truth values keep their type. Its index is the row of the spreadsheet
            (header = 1).
        complaints: What is wrong with the file as a table.
    """

    frame: pd.DataFrame
    complaints: tuple[Complaint, ...]


def read_table(path: Path) -> RawTable:
    """Read `path`, a Parquet file or a CSV in UTF-8 (with or without BOM) with comma, semicolon or tab.

    Never raises for what is wrong with the file: that is in `complaints`, as far as it can be found.
    """
    complaints: list[Complaint] = []
    content = _read_bytes(path, complaints)
    if content is None:
        return RawTable(pd.DataFrame(), tuple(complaints))
    if content.startswith(_PARQUET) or path.suffix.lower() in (".parquet", ".pq"):
        frame = _parse_parquet(path, content, complaints)
    else:
        frame = _parse_csv(path, content, complaints)
    return RawTable(frame, tuple(complaints))


def _read_bytes(path: Path, complaints: list[Complaint]) -> bytes | None:
    def refuse(message: str) -> None:
        complaints.append(Complaint("error", str(path), None, None, message))

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        refuse(f"there is no such file (looked from {Path.cwd()}): correct cohort.manifest")
    except IsADirectoryError:
        refuse("is a folder: give the CSV or Parquet file in it as cohort.manifest=FILE")
    except OSError as error:
        refuse(f"cannot be read ({error.strerror}): check its permissions")
    else:
        if content.strip():
            return content
        refuse("is empty: it needs a header with image, patient_id and label, and one row an image")
    return None


def _parse_parquet(path: Path, content: bytes, complaints: list[Complaint]) -> pd.DataFrame:
    try:
        frame = pq.read_table(pa.BufferReader(content)).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        complaints.append(
            Complaint(
                "error", str(path), None, None, f"is not a readable Parquet file ({reason}): write it again"
            )
        )
        return pd.DataFrame()
    frame.columns = [str(column) for column in frame.columns]
    return _indexed(frame, list(range(2, len(frame) + 2)))


def _parse_csv(path: Path, content: bytes, complaints: list[Complaint]) -> pd.DataFrame:
    text = _decode(path, content, complaints)
    if text is None:
        return pd.DataFrame()
    delimiter = _delimiter(text)
    records = _records(path, text, delimiter, complaints)
    header_row, header = next((found for found in records if any(found[1])), (1, []))
    columns = _header(path, header_row, header, complaints)
    if len(columns) < 2:
        if not complaints:  # Else it is the header itself that could not be read.
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
    return _indexed(frame, rows)


def _decode(path: Path, content: bytes, complaints: list[Complaint]) -> str | None:
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
    path: Path, text: str, delimiter: str, complaints: list[Complaint]
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


def _header(path: Path, row: int, header: list[str], complaints: list[Complaint]) -> list[str]:
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


def _indexed(frame: pd.DataFrame, rows: list[int]) -> pd.DataFrame:
    frame.index = pd.Index(rows, name="row", dtype="int64")
    return frame
