"""Verification of the files of a finished run: are they those that `done.json` recorded?"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from mds_lightning.cohort.explained_error import ExplainedError
from mds_lightning.studies.layout import RunDirectory

#: Smaller files are hashed whenever they are read: it takes no time.
_REMEMBERED = 1 << 20

State = Literal["recorded", "differs", "missing", "not recorded"]


class AlteredRunError(ExplainedError):
    """A file of a finished run is not the one that was recorded."""


@dataclass(frozen=True)
class FileState:
    """Comparison of one file of a finished run with its record.

    Attributes:
        name: Path in the run directory, with `/`.
        state: `recorded`: as recorded; `differs`: another content; `missing`: recorded, but does not exist;
            `not recorded`: exists, but is not in the record.
        finding: What is wrong; '' if nothing is.
        remedy: What to do about it.
    """

    name: str
    state: State
    finding: str = ""
    remedy: str = ""


def recorded_hashes(record: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]] | None:
    """Name of each recorded file to its valid SHA-256.

    Two are valid while a file is being replaced (see `recording.replace_recorded`). None: the run is not
    finished, or an earlier version finished it without recording its files.

    Args:
        record: The run's `done.json`.
    """
    if record is None or "files" not in record:
        return None
    found: dict[str, tuple[str, ...]] = {name: (digest,) for name, digest in record["files"].items()}
    for name, digest in record.get("rewriting", {}).items():
        found[name] = (*found.get(name, ()), digest)
    return found


def compare_file(run: RunDirectory, file: Path, hashes: Mapping[str, Collection[str]]) -> FileState:
    """Compare one file with the hashes that `recorded_hashes` gives for its run."""
    name = run.relative_name(file)
    redo = _how_to_redo(run, file)
    if name not in hashes:
        finding = f"{file} is not among the files that {run.done.name} of {run.path} records"
        return FileState(name, "not recorded", finding, f"remove it; {redo}")
    if not file.is_file():
        return FileState(name, "missing", f"{file} is missing", f"restore it; {redo}")
    digest = hash_file(file)
    if digest in hashes[name]:
        return FileState(name, "recorded")
    twin = _find_twin(run, digest)
    origin = f"; it is {twin}" if twin else ""
    finding = (
        f"{file} is not the file that was recorded when {run.path.name} was finished (SHA-256 {digest[:12]}, "
        f"recorded {', '.join(one[:12] for one in hashes[name])}{origin})"
    )
    return FileState(name, "differs", finding, f"restore it; {redo}")


def verify_file(run: RunDirectory, file: Path) -> None:
    """Raise unless an existing file of a run is as recorded; nothing is verified without a record.

    Raises:
        AlteredRunError: It has another content, or is not in the record.
        DamagedFileError: `done.json` is damaged.
    """
    hashes = recorded_hashes(run.read_done())
    if hashes is None or not file.is_file():
        return
    state = compare_file(run, file, hashes)
    if state.state != "recorded":
        raise AlteredRunError(state.finding, state.remedy)


def hash_file(file: Path) -> str:
    """SHA-256 of a file. A large file is read once per process, as long as it is not replaced."""
    there = file.stat()
    if there.st_size < _REMEMBERED:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    return _hash_large(
        file, (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
    )


@lru_cache(maxsize=1024)
def _hash_large(file: Path, version: tuple[int, ...]) -> str:  # noqa: ARG001
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _how_to_redo(run: RunDirectory, file: Path) -> str:
    if file.suffix in (".npz", ".png"):
        return f"or delete it, and `mds-lightning explain run={run.path}` computes it again"
    if file == run.recalibration:
        return "or delete it, and it is computed from the validation rows"
    return f"or delete {run.path} and train the fold again"


def _find_twin(run: RunDirectory, digest: str) -> str:
    """Where a file with this content belongs: in another fold of the study, for example."""
    for other in run.study.every_run():
        try:
            hashes = recorded_hashes(other.read_done()) or {}
        except ExplainedError:
            continue
        for name, digests in hashes.items():
            if digest in digests:
                return f"{name} of {other.path.absolute().relative_to(run.study.path)}"
    return ""
