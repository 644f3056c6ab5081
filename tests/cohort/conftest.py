import pytest

from mds_lightning.cohort.task import Task


@pytest.fixture
def task():
    return Task("mds_vs_donor", ("donor", "MDS"))


@pytest.fixture
def folder(tmp_path):
    """Eight files of different bytes, 0.png to 7.png: reading a manifest does not decode them."""
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(b"image %d" % number)
    return tmp_path
