"""Provenance of a run: versions, hashes, seed, command and host."""

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, TypedDict

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.damaged_file import DamagedFileError
from mds_lightning.cohort.json_record import read_json_record
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.recorded_files import verify_file

#: Version of the layout of a study, its settings and its provenance. 1 (not recorded): version 0.1.0 of
#: mds-lightning; 2: the provenance also holds `format`, `folder` and `root`; 3: `done.json` holds the SHA-256
#: of the run's files.
FORMAT = 3
_FIRST_RECORDED = 3


class DescribedFile(TypedDict):
    """See `describe_file`."""

    path: str
    sha256: str


class ProvenanceRecord(TypedDict, total=False):
    """The keys of `provenance.json` that readers use."""

    format: int
    seed: int
    fold: int
    cohort_hash: str
    folds_hash: str
    manifest: DescribedFile
    root: str
    folder: str
    command: list[str]
    started: str
    host: str
    platform: str
    python: str
    git: str | None
    packages: dict[str, str]


class FormatError(ValueError):
    """A later version of mds-lightning wrote the study."""


def _git_commit() -> str | None:
    """Commit of the code in use, `+changes` when the tree differs from it, or None outside a repository."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    changed = git("status", "--porcelain", "--untracked-files=no")
    commit = git("rev-parse", "HEAD")
    return f"{commit}+changes" if changed else commit


def describe_file(path: File) -> dict[str, str]:
    """Identify a file: `path` (absolute, or a URL) and `sha256` of its content."""
    where = path.resolve() if isinstance(path, Path) else path
    return {"path": str(where), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def describe_folder(path: Folder) -> str:
    """The absolute path, or the URL, of a folder."""
    return str(path.resolve() if isinstance(path, Path) else path)


def write_provenance(path: Path, facts: Mapping[str, Any]) -> None:
    """Write `provenance.json`: `facts` (hashes, seed, ...), and what describes this process and machine.

    Args:
        path: File to write.
        facts: Plain JSON values.
    """
    record = {
        "format": FORMAT,
        **facts,
        "folder": str(Path.cwd()),
        "command": sys.argv,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "git": _git_commit(),
        "packages": dict(sorted((item.metadata["Name"], item.version) for item in distributions())),
    }
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")


def read_provenance(path: Path) -> dict[str, Any]:
    """Read `provenance.json`; empty if the run has none.

    Raises:
        AlteredRunError: The run is finished, and the file is not the one that was recorded.
        DamagedFileError: It is not JSON, or a value has another type.
        FormatError: A later version of mds-lightning wrote it.
    """
    if not path.is_file():
        return {}
    run = RunDirectory(path.parent)
    verify_file(run, path)
    remedy = f"restore it, or delete {run.path} and train the fold again"
    record = read_json_record(path, ProvenanceRecord, remedy)
    found = record.get("format", 1)
    if found > FORMAT:
        version = record.get("packages", {}).get("mds-lightning", "a later version")
        raise FormatError(
            f"{path.parent} has format {found}, written by mds-lightning {version}; this version reads "
            f"formats up to {FORMAT}: install that version to read the study"
        )
    done = run.read_done()
    if done is not None and "files" not in done and found >= _FIRST_RECORDED:
        raise DamagedFileError(f"{run.done} has lost the record of the run's files", remedy)
    return record
