"""Recording of the files of a run in its `done.json`, when it is finished and when a file is added later."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.recorded_files import hash_file
from mds_lightning.studies.recorded_maps import name_inside
from mds_lightning.studies.run_record import write_run_record


def finish_run(run: RunDirectory, outcome: Mapping[str, Any]) -> None:
    """Mark a run as finished: write `done.json` with its outcome and the SHA-256 of its files.

    Args:
        run: The run; all its files are written.
        outcome: val_auroc, epochs, seconds and explain_seconds.
    """
    files = {run.relative_name(file): hash_file(file) for file in run.recorded() if file.is_file()}
    run.mark_done({**outcome, "files": files})


@contextmanager
def replace_recorded(run: RunDirectory, file: Path) -> Iterator[Path]:
    """As `write_atomically`, for a file of a run that may be finished: its record is updated too.

    The new hash is recorded before the file is renamed and the old one removed afterwards, so that a process
    killed at any point leaves a run that is valid.

    Raises:
        OSError: The disk is full.
    """
    name = run.relative_name(file)
    digest = None
    with write_atomically(file) as temporary:
        yield temporary
        digest = hash_file(temporary)
        with _updating(run) as record:
            if record is not None:
                record["rewriting"] = {**record.get("rewriting", {}), name: digest}
    with _updating(run) as record:
        if record is not None:
            record["files"][name] = digest
            record["rewriting"].pop(name, None)


def record_maps(run: RunDirectory, folders: Iterable[Path]) -> None:
    """Record the maps in folders of a finished run as they are now; removed maps are removed from the record.

    Args:
        run: The run.
        folders: Folders in it; others are ignored, as a run that is not finished is.
    """
    inside = [run.path / name for name in map(partial(name_inside, run), folders) if name is not None]
    if not inside:
        return
    with _updating(run) as record:
        if record is None:
            return
        for folder in inside:
            start = run.relative_name(folder) + "/"
            others = {name: digest for name, digest in record["files"].items() if not name.startswith(start)}
            found = {run.relative_name(file): hash_file(file) for file in run.map_files(folder)}
            record["files"] = others | found


@contextmanager
def _updating(run: RunDirectory) -> Iterator[dict[str, Any] | None]:
    """Change `done.json` in the block; None if there is nothing to change."""
    if not run.done.is_file():
        yield None
        return
    # Of two commands that add files at the same time, none may undo the other's change.
    with FileLock(run.path / ".done.lock"):
        record = run.read_done()
        if record is None or "files" not in record:
            yield None
            return
        yield record
        if not record.get("rewriting"):
            record.pop("rewriting", None)
        write_run_record(run.done, record)
