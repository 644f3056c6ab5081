"""The folder of a simulated cohort: ownership, and files that exist already."""

import json
import re
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mds_lightning.cohort.atomic_file import write_once
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters

MANIFEST, RECORD = "manifest.csv", "simulation.json"
#: Temporary names of `atomic_file`; a file older than this (seconds) was left by a killed process.
_TEMPORARY, _STALE = re.compile(r"\..+\.[0-9a-f]{12}\.(jpg|png|csv|json)"), 600
_SHOWN = 3


def claim_directory(directory: Path, parameters: SimulationParameters, files: Collection[str]) -> set[str]:
    """Reserve `directory` for this simulation, or verify that it is reserved for it.

    Hidden files are ignored; temporary files of killed processes are removed.

    Args:
        directory: Created if it does not exist.
        parameters: Parameters of the simulation.
        files: Paths relative to `directory` that the simulation writes besides manifest and record.

    Returns:
        Paths of the existing visible files.

    Raises:
        ValueError: It belongs to another simulation, or contains other files.
    """
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory} is a file: give a folder for the simulated cohort")
    record = directory / RECORD
    if record.exists():
        _refuse_other(record, parameters)
    found = _list_files(directory)
    known = {RECORD, MANIFEST, *files} if record.exists() else set()
    foreign = sorted(found - known)
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise ValueError(
            f"{directory} contains files that this simulation did not write "
            f"({', '.join(foreign[:_SHOWN])}{more}): simulate into a new or empty folder"
        )
    if write_once(record, json.dumps(parameters.record, indent=2, sort_keys=True) + "\n"):
        return found
    _refuse_other(record, parameters)  # another process may have written it first
    return found


def _list_files(directory: Path) -> set[str]:
    found = set()
    for path in directory.rglob("*"):
        if not path.name.startswith("."):
            if not path.is_dir():
                found.add(path.relative_to(directory).as_posix())
        elif _TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime > _STALE:
            path.unlink(missing_ok=True)
    return found


def _refuse_other(record: Path, parameters: SimulationParameters) -> None:
    try:
        found: Any = json.loads(record.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{record} is not a record of a simulation: simulate into a new or empty folder")
    wanted = parameters.record
    changed = [key for key in sorted(found | wanted) if found.get(key) != wanted.get(key)]
    if changed:
        differences = "; ".join(
            f"{key} {found.get(key)!r} in the folder, {wanted.get(key)!r} requested" for key in changed
        )
        raise ValueError(
            f"{record.parent} contains another simulation ({differences}): "
            "simulate into another folder, or delete this one"
        )
