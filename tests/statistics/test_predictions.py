from pathlib import Path

import numpy as np
import pytest

from mds_lightning.statistics.predictions import check_predictions, read_predictions


def test_reading(correlated, tmp_path: Path) -> None:
    file = tmp_path / "predictions.parquet"
    with pytest.raises(ValueError, match=r"predictions\.parquet is missing"):
        read_predictions(file)
    table = correlated().table
    table.assign(extra=1).to_parquet(file)
    assert read_predictions(file).equals(table)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ([0.4, np.nan], "NaN"),
        ([0.4, np.inf], "infinite"),
        ([-0.2, 1.2], "outside 0..1"),
        ([0.4, 0.4], "add up to 1"),
    ],
)
def test_probabilities_are_checked_by_row(correlated, values: list[float], fault: str) -> None:
    table = correlated().table
    table.loc[7, ["prob_donor", "prob_MDS"]] = values
    with pytest.raises(ValueError, match=rf"rows.csv: row 7 \(image 'i00007'.* .*{fault}.*1 of 120 rows"):
        check_predictions(table, "rows.csv")


def test_half_precision_probabilities_pass(correlated) -> None:
    table = correlated(classes=("donor", "MDS", "AML")).table
    columns = [name for name in table if name.startswith("prob_")]
    table[columns] = table[columns].astype(np.float16).astype(np.float32)
    check_predictions(table, "rows")
