"""The folder of a simulated cohort: whose it is, and what is in it already."""

import json
import re
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mds_lightning.cohort.atomic_file import write_once
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters

MANIFEST, RECORD = "manifest.csv", "simulation.json"
#: Names of `atomic_file`; one that is older than this (seconds) belongs to a writer that was killed.
_TEMPORARY, _STALE = re.compile(r"\..+\.[0-9a-f]{12}\.(jpg|png|csv|json)"), 600
_SHOWN = 3


def claim_directory(directory: Path, parameters: SimulationParameters, files: Collection[str]) -> set[str]:
    """Make `directory` the home of this simulation, or find that it already is.

    Hidden files do not count; those that a killed writer left are removed.

    Args:
        directory: Is made where it is missing.
        parameters: Of the simulation.
        files: Paths, relative to `directory`, that the simulation writes besides manifest and record.

    Returns:
        Paths of the visible files that are there.

    Raises:
        ValueError: It belongs to another simulation, or holds files that no simulation wrote.
    """
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory} is a file: name a folder for the simulated cohort")
    record = directory / RECORD
    if record.exists():
        _refuse_other(record, parameters)
    found = _list_files(directory)
    known = {RECORD, MANIFEST, *files} if record.exists() else set()
    foreign = sorted(found - known)
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise ValueError(
            f"{directory} holds files that this simulation did not write "
            f"({', '.join(foreign[:_SHOWN])}{more}): simulate into a new or empty folder"
        )
    if write_once(record, json.dumps(parameters.record, indent=2, sort_keys=True) + "\n"):
        return found
    _refuse_other(record, parameters)  # somebody may have been quicker
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
        raise ValueError(f"{record} is no record of a simulation: simulate into a new or empty folder")
    wanted = parameters.record
    changed = [key for key in sorted(found | wanted) if found.get(key) != wanted.get(key)]
    if changed:
        differences = "; ".join(
            f"{key} {found.get(key)!r} there, {wanted.get(key)!r} asked" for key in changed
        )
        raise ValueError(
            f"{record.parent} holds another simulation ({differences}): "
            "simulate into another folder, or delete this one"
        )
