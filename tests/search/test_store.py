"""Storages: refused, made by many at once, and locked."""

import re
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from sqlalchemy import Engine, event

from mds_lightning.search.store import open_store, require_store


@pytest.mark.parametrize("url", ["mysql://me:s3cret@host/db", "postgresql://me:s3cret@host/db", "study.db"])
def test_other_kinds_are_refused_with_the_three_there_are(url: str) -> None:
    with pytest.raises(ValueError, match=re.escape("sqlite:///FILE, postgresql+psycopg2://")) as refusal:
        open_store(url, "s")
    assert "s3cret" not in str(refusal.value)


def test_a_file_whose_creation_was_interrupted_is_created_as_a_whole(tmp_path: Path) -> None:
    def interrupt(connection, cursor, statement: str, *_: object) -> None:
        if statement.startswith("CREATE UNIQUE INDEX"):
            raise KeyboardInterrupt

    url = f"sqlite:///{tmp_path}/study.db"
    event.listen(Engine, "before_cursor_execute", interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_store(url, "toy")
    finally:
        event.remove(Engine, "before_cursor_execute", interrupt)
    storage = open_store(url, "toy").storage
    optuna.create_study(study_name="toy", storage=storage)
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        optuna.create_study(study_name="toy", storage=storage)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.db", "study.db.lock"]


def test_looking_at_a_study_makes_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no study"):
        require_store(f"sqlite:///{tmp_path}/study.db")
    assert not list(tmp_path.iterdir())


COUNT = """
import sys
from pathlib import Path
from mds_lightning.search.store import open_store
store = open_store(sys.argv[1], "s")
counter = Path(sys.argv[2])
for _ in range(50):
    with store.lock():
        counter.write_text(str(int(counter.read_text()) + 1))
"""


@pytest.mark.parametrize("scheme", ["sqlite:///", "journal://"])
def test_workers_make_an_empty_store_at_once_and_lock_each_other_out(tmp_path: Path, scheme: str) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNT, f"{scheme}{tmp_path}/new/study", str(counter)]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [worker.communicate(timeout=300)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], errors
    assert counter.read_text() == "150"
