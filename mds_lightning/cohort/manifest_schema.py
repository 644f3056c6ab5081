"""The columns of a manifest and their values, as a pandera schema."""

from difflib import get_close_matches

import pandas as pd
import pandera.pandas as pa

from mds_lightning.cohort.finding import Finding
from mds_lightning.cohort.finding_kinds import (
    EMPTY_CELL,
    INVALID_BOXES,
    INVALID_EXTERNAL,
    MISSING_COLUMN,
    MISSPELT_COLUMN,
    SIMILAR_COLUMN,
)
from mds_lightning.cohort.manifest_cells import FALSE, KNOWN, OPTIONAL, TRUE, boxes_fault

_filled = pa.Check(lambda cells: cells != "", error="is empty")
_boolean = pa.Check(
    lambda cells: cells.str.lower().isin(TRUE + FALSE),
    error="is neither true nor false",
)
_boxes = pa.Check(
    lambda cells: cells.map(lambda text: boxes_fault(text) is None),
    error="is not a list of boxes",
)
_KIND = {"external": INVALID_EXTERNAL, "boxes": INVALID_BOXES}
_REMEDY = {
    "external": "write true or false, yes or no, 1 or 0, or leave it empty",
    "boxes": "write a JSON list of boxes [x0, y0, x1, y1] in pixels, or leave it empty",
}
_REMEDY_EMPTY = "every row needs image, patient_id and label"

SCHEMA = pa.DataFrameSchema(
    {
        "image": pa.Column("str", _filled),
        "patient_id": pa.Column("str", _filled),
        "label": pa.Column("str", _filled),
        "site": pa.Column("str", required=False),
        "external": pa.Column("str", _boolean, required=False),
        "mask": pa.Column("str", required=False),
        "boxes": pa.Column("str", _boxes, required=False),
    }
)


def check_schema(frame: pd.DataFrame, file: str) -> list[Finding]:
    """Validate `frame` (clean text; index: spreadsheet row); return one finding for each invalid cell."""
    findings = _misnamed(frame, file)
    try:
        SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        for case in error.failure_cases.itertuples():
            if case.check == "column_in_dataframe":
                findings.append(_missing(case.failure_case, frame, file))
                continue
            value = f"'{case.failure_case}' " if case.failure_case else ""
            reason = f" ({boxes_fault(case.failure_case)})" if case.column == "boxes" else ""
            kind, remedy = _KIND.get(case.column, EMPTY_CELL), _REMEDY.get(case.column, _REMEDY_EMPTY)
            finding = f"{value}{case.check}{reason}"
            findings.append(Finding(kind, file, int(case.index), case.column, finding, remedy))
    return findings


def _missing(column: str, frame: pd.DataFrame, file: str) -> Finding:
    others = {_plain(name): name for name in frame.columns if name not in KNOWN}
    near = get_close_matches(_plain(column), others, n=1, cutoff=0.6)
    present = ", ".join(map(str, frame.columns))
    remedy = f"rename '{others[near[0]]}' to '{column}'" if near else f"add it; the header has {present}"
    return Finding(MISSING_COLUMN, file, 1, column, "this column is missing", remedy)


def _misnamed(frame: pd.DataFrame, file: str) -> list[Finding]:
    """Find columns that resemble an optional one: rows of a mistyped `external` would be trained on."""
    findings = []
    absent = {_plain(name): name for name in OPTIONAL if name not in frame.columns}
    for name in (name for name in frame.columns if name not in KNOWN):
        if _plain(name) in absent:
            finding, remedy = f"is not spelt '{absent[_plain(name)]}'", "rename it; it would be ignored"
            findings.append(Finding(MISSPELT_COLUMN, file, 1, name, finding, remedy))
        elif near := get_close_matches(_plain(name), absent, n=1, cutoff=0.8):
            finding, remedy = "is kept as a clinical column", f"rename it if '{absent[near[0]]}' is meant"
            findings.append(Finding(SIMILAR_COLUMN, file, 1, name, finding, remedy))
    return findings


def _plain(name: str) -> str:
    return str(name).casefold().replace(" ", "_").replace("-", "_")
