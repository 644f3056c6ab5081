import pytest

from mds_lightning.cohort.atomic_file import write_atomically


def _break_off(path):
    with write_atomically(path) as temporary:
        temporary.write_text("half of the new")
        raise RuntimeError


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with write_atomically(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(RuntimeError):
        _break_off(path)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_final_name_is_not_there_while_writing(tmp_path):
    path = tmp_path / "file.txt"
    with write_atomically(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
