"""Reading of CSV and Parquet tables, with the spreadsheet row of each record."""

import codecs
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mds_lightning.cohort.csv_table import parse_csv
from mds_lightning.cohort.finding import Finding, FindingKind
from mds_lightning.cohort.finding_kinds import AMBIGUOUS_HEADER, EMPTY_MANIFEST, UNREADABLE_MANIFEST
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_error import RemoteError

_PARQUET = b"PAR1"


@dataclass(frozen=True)
class RawTable:
    """A table before its columns are interpreted.

    Attributes:
        frame: Cells as text, '' where empty; columns of numbers and booleans of a Parquet file keep their
            type. Column names have no surrounding blanks. The index is the row of the spreadsheet (header =
            1).
        findings: Faults of the file as a table.
    """

    frame: pd.DataFrame
    findings: tuple[Finding, ...]


def read_table(path: File) -> RawTable:
    """Read `path`, a Parquet file or a CSV in UTF-8 (with or without BOM) with comma, semicolon or tab.

    Faults of the file do not raise; they are in `findings`.
    """
    findings: list[Finding] = []
    content = _read_bytes(path, findings)
    if content is None:
        return RawTable(pd.DataFrame(), tuple(findings))
    if content.startswith(_PARQUET) or path.suffix.lower() in (".parquet", ".pq"):
        frame = _parse_parquet(path, content, findings)
    else:
        frame = parse_csv(path, content, findings)
    return RawTable(frame, tuple(findings))


def _read_bytes(path: File, findings: list[Finding]) -> bytes | None:
    def refuse(finding: str, remedy: str = "", kind: FindingKind = UNREADABLE_MANIFEST) -> None:
        findings.append(Finding(kind, str(path), None, None, finding, remedy))

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        start = f" (relative to {Path.cwd()})" if isinstance(path, Path) else ""
        refuse(f"does not exist{start}", "correct cohort.manifest")
    except IsADirectoryError:
        refuse("is a folder", "set cohort.manifest to the CSV or Parquet file in it")
    except OSError as error:
        refuse(f"cannot be read ({error.strerror})", "check its permissions")
    except RemoteError as error:
        refuse(error.finding.removeprefix(f"{path}: "), error.remedy)
    else:
        if content.removeprefix(codecs.BOM_UTF8).strip():
            return content
        remedy = "write a header with image, patient_id and label, and one row for each image"
        refuse("is empty", remedy, EMPTY_MANIFEST)
    return None


def _parse_parquet(path: File, content: bytes, findings: list[Finding]) -> pd.DataFrame:
    try:
        frame = pq.read_table(pa.BufferReader(content)).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        finding = f"is not a readable Parquet file ({reason})"
        findings.append(Finding(UNREADABLE_MANIFEST, str(path), None, None, finding, "write it again"))
        return pd.DataFrame()
    names = pd.Index([str(column) for column in frame.columns])
    frame.columns = names
    for name in names[names.duplicated()].unique():
        finding = f"occurs {(names == name).sum()} times"
        findings.append(Finding(AMBIGUOUS_HEADER, str(path), 1, name, finding, "keep one of them"))
    frame = frame.loc[:, ~names.duplicated()]
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame
