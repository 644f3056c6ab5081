"""Reading of the CSV files of a run."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.damaged_file import reading
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.recorded_files import verify_file


def read_run_table(run: RunDirectory, file: Path, text: Collection[str] = ()) -> pd.DataFrame:
    """Read a CSV file of a run.

    Args:
        run: The run.
        file: Its `metrics.csv` or `skipped.csv`.
        text: Columns that must exist if the file is a list of images, which is read as text with empty cells;
            empty: a table of numbers with the column `epoch`.

    Raises:
        AlteredRunError: The run is finished, and the file is not the one that was recorded.
        DamagedFileError: It is no such table.
    """
    verify_file(run, file)
    with reading(file, f"restore it, or delete {run.path} and train the fold again"):
        table = (
            pd.read_csv(file, dtype=str, keep_default_na=False, index_col=False)
            if text
            else pd.read_csv(file, index_col=False)
        )
        required = text or ("epoch",)
        missing = sorted(set(required) - set(table))
        if missing:
            raise ValueError(f"the column {', '.join(missing)} is missing")
        wrong = [] if text else [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
        if wrong:
            raise ValueError(f"the column {wrong[0]} does not hold numbers")
    return table
