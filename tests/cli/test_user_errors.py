"""Errors of files, as users see them."""

import errno
import os

import pytest

from mds_lightning.cli import conf_directory
from mds_lightning.cli.user_errors import explain_user_error
from mds_lightning.cohort.atomic_file import UNWRITABLE, write_atomically


@pytest.mark.parametrize("number", UNWRITABLE)
def test_a_folder_that_cannot_be_written_is_named_with_the_key_that_writes_elsewhere(tmp_path, number):
    path = tmp_path / "metrics.csv"
    with pytest.raises(OSError) as raised, write_atomically(path) as temporary:  # noqa: PT011 (of the number)
        raise OSError(number, os.strerror(number), str(temporary))
    for verb in ("evaluate", "report", "explain"):
        message = explain_user_error(raised.value, verb, conf_directory())
        assert message is not None
        assert message.startswith(f"{path}: {os.strerror(number)}")
        assert "give output=DIR" in message
    message = explain_user_error(raised.value, "test", conf_directory())
    assert message is not None
    assert "copy the study" in message
    message = explain_user_error(raised.value, "train", conf_directory())
    assert message == (f"{path}: {os.strerror(number)}")


def test_a_file_that_cannot_be_read_is_not_written_elsewhere(tmp_path):
    path = tmp_path / "predictions.parquet"
    path.touch()
    error = PermissionError(errno.EACCES, "Permission denied", str(path))
    assert explain_user_error(error, "evaluate", conf_directory()) == f"{path}: Permission denied"
