"""A table as text: CSV or Parquet, with the spreadsheet's row of each record and all that is wrong."""

import codecs
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mds_lightning.cohort.csv_table import parse_csv
from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_error import RemoteError

_PARQUET = b"PAR1"


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


def read_table(path: File) -> RawTable:
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
        frame = parse_csv(path, content, complaints)
    return RawTable(frame, tuple(complaints))


def _read_bytes(path: File, complaints: list[Complaint]) -> bytes | None:
    def refuse(message: str) -> None:
        complaints.append(Complaint("error", str(path), None, None, message))

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        looked = f" (looked from {Path.cwd()})" if isinstance(path, Path) else ""
        refuse(f"there is no such file{looked}: correct cohort.manifest")
    except IsADirectoryError:
        refuse("is a folder: give the CSV or Parquet file in it as cohort.manifest=FILE")
    except OSError as error:
        refuse(f"cannot be read ({error.strerror}): check its permissions")
    except RemoteError as error:
        refuse(str(error).removeprefix(f"{path}: "))
    else:
        if content.removeprefix(codecs.BOM_UTF8).strip():
            return content
        refuse("is empty: it needs a header with image, patient_id and label, and one row an image")
    return None


def _parse_parquet(path: File, content: bytes, complaints: list[Complaint]) -> pd.DataFrame:
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
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame
