"""What each column of a manifest may hold, as a pandera schema."""

from difflib import get_close_matches

import pandas as pd
import pandera.pandas as pa

from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.manifest_cells import FALSE, KNOWN, OPTIONAL, TRUE, boxes_fault

_filled = pa.Check(lambda cells: cells != "", error="is empty: every row needs image, patient_id and label")
_truth = pa.Check(
    lambda cells: cells.str.lower().isin(TRUE + FALSE),
    error="is neither true nor false: write true or false, yes or no, 1 or 0, or leave it empty",
)
_boxes = pa.Check(
    lambda cells: cells.map(lambda text: boxes_fault(text) is None),
    error="is not a JSON list of boxes [x0, y0, x1, y1] in pixels",
)

SCHEMA = pa.DataFrameSchema(
    {
        "image": pa.Column("str", _filled),
        "patient_id": pa.Column("str", _filled),
        "label": pa.Column("str", _filled),
        "site": pa.Column("str", required=False),
        "external": pa.Column("str", _truth, required=False),
        "mask": pa.Column("str", required=False),
        "boxes": pa.Column("str", _boxes, required=False),
    }
)


def schema_complaints(frame: pd.DataFrame, file: str) -> list[Complaint]:
    """Every departure of `frame` (clean text; index: row of the spreadsheet) from the schema, in one pass."""
    complaints = _misnamed(frame, file)
    try:
        SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as found:
        for case in found.failure_cases.itertuples():
            if case.check == "column_in_dataframe":
                complaints.append(_missing(case.failure_case, frame, file))
                continue
            value = f"'{case.failure_case}' " if case.failure_case else ""
            reason = f" ({boxes_fault(case.failure_case)})" if case.column == "boxes" else ""
            complaints.append(
                Complaint("error", file, int(case.index), case.column, f"{value}{case.check}{reason}")
            )
    return complaints


def _missing(column: str, frame: pd.DataFrame, file: str) -> Complaint:
    others = {_plain(name): name for name in frame.columns if name not in KNOWN}
    near = get_close_matches(_plain(column), others, n=1, cutoff=0.6)
    present = ", ".join(map(str, frame.columns))
    hint = f"rename '{others[near[0]]}' to '{column}'" if near else f"add it; the header has {present}"
    return Complaint("error", file, 1, column, f"this column is missing: {hint}")


def _misnamed(frame: pd.DataFrame, file: str) -> list[Complaint]:
    """Further columns that look like an optional one: a mistyped `external` would be trained on."""
    complaints = []
    absent = {_plain(name): name for name in OPTIONAL if name not in frame.columns}
    for name in (name for name in frame.columns if name not in KNOWN):
        if _plain(name) in absent:
            message = f"is not spelt '{absent[_plain(name)]}': rename it, or it would be ignored"
            complaints.append(Complaint("error", file, 1, name, message))
        elif near := get_close_matches(_plain(name), absent, n=1, cutoff=0.8):
            message = f"is kept as a clinical column; rename it if '{absent[near[0]]}' is meant"
            complaints.append(Complaint("warning", file, 1, name, message))
    return complaints


def _plain(name: str) -> str:
    return str(name).casefold().replace(" ", "_").replace("-", "_")
