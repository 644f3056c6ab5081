"""What a result came from: versions, hashes, seed, command and host."""

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.path_or_url import File


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
    """Where a file lies and what it holds: `path` (absolute, or a URL) and `sha256`."""
    where = path.resolve() if isinstance(path, Path) else path
    return {"path": str(where), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def write_provenance(path: Path, facts: Mapping[str, Any]) -> None:
    """Write `provenance.json`: `facts` (hashes, seed, ...) beside what can be found out here.

    Args:
        path: File to write.
        facts: Plain JSON values the caller knows.
    """
    record = {
        **facts,
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
