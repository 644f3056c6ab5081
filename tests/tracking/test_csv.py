import pandas as pd
import pytest

from mds_lightning.cohort.damaged_file import DamagedFileError
from mds_lightning.tracking.csv import MetricsFile


def _log(logger, epoch, **metrics):
    logger.log_metrics({"epoch": epoch, **{f"val/{key}": value for key, value in metrics.items()}})


def test_a_continued_run_keeps_earlier_epochs_and_replaces_repeated_ones(tmp_path):
    path = tmp_path / "metrics.csv"
    first = MetricsFile(path)
    for epoch in range(3):
        _log(first, epoch, auroc=0.5 + epoch / 10)
    first.save()
    continued = MetricsFile(path)
    _log(continued, 2, auroc=0.9)
    _log(continued, 3, auroc=0.95)
    continued.finalize("success")
    table = pd.read_csv(path)
    assert table["epoch"].tolist() == [0, 1, 2, 3]
    assert table["val/auroc"].tolist() == [0.5, 0.6, 0.9, 0.95]


def test_metrics_of_one_epoch_share_a_row(tmp_path):
    logger = MetricsFile(tmp_path / "metrics.csv")
    logger.log_metrics({"epoch": 0, "train/loss": 1.0})
    logger.log_metrics({"epoch": 0, "val/auroc": 0.7})
    logger.save()
    assert pd.read_csv(tmp_path / "metrics.csv").to_dict("records") == [
        {"epoch": 0, "train/loss": 1.0, "val/auroc": 0.7}
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"step,loss\n1,2\n", b"epoch,loss\n0,x\n", b"epoch,loss\nx,1\n"],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "metrics.csv").write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"metrics\.csv is damaged .*restore it, or delete it"):
        MetricsFile(tmp_path / "metrics.csv")
