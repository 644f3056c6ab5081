"""Where the manifest of a study lies today."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.cohort.path_or_url import File, locate_file
from mds_lightning.cohort.remote_folder import RemoteFile
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import describe_file
from mds_lightning.studies.settings import read_settings

log = logging.getLogger(__name__)


def is_simulated(settings: Mapping[str, Any]) -> bool:
    """Whether the images were drawn by the simulator."""
    return settings["cohort"]["manifest"] is None


@dataclass(frozen=True)
class FoundManifest:
    """A study's manifest as it is today.

    Attributes:
        path: Where it was found.
        has_changed: Whether the file differs from the one that was trained on; False where no hash of that
            was recorded.
    """

    path: File
    has_changed: bool


def find_manifest(study: StudyDirectory, run: RunDirectory) -> FoundManifest | None:
    """The manifest that a run was trained on, or None where it is not to be found.

    It is looked for where the run recorded it; then, as the configuration names it, from the current folder
    and from those above the study: `runs/demo` was trained in the folder that holds `runs`. Of several files
    the one that was trained on is taken; if none is that any more, the first, and a warning is logged.

    Args:
        study: The study.
        run: One of its runs.
    """
    recorded: dict[str, str] = {}
    if run.provenance.is_file():
        recorded = json.loads(run.provenance.read_text(encoding="utf-8")).get("manifest", {})
    named = _name_manifest(read_settings(run.config))
    candidates: list[File] = [locate_file(recorded["path"], "manifest")] if recorded else []
    if isinstance(named, RemoteFile):
        candidates.append(named)
    else:
        candidates += [place / named for place in (Path(), *study.path.resolve().parents)]
    # A remote file is asked for once, also where it cannot be reached.
    found = [path for path in {str(path): path for path in candidates}.values() if path.is_file()]
    if not found or not recorded:
        return FoundManifest(found[0], has_changed=False) if found else None
    for path in found:
        if describe_file(path)["sha256"] == recorded["sha256"]:
            return FoundManifest(path, has_changed=False)
    log.warning(
        "%s is not the file any more that %s was trained on: its clinical columns are those of today",
        *(found[0], study.path),
    )
    return FoundManifest(found[0], has_changed=True)


def _name_manifest(settings: Mapping[str, Any]) -> File:
    """The manifest as the configuration names it."""
    cohort = settings["cohort"]
    if cohort["manifest"] is not None:
        return locate_file(cohort["manifest"], "cohort.manifest")
    if cohort["directory"] is not None:
        return Path(cohort["directory"]) / "manifest.csv"
    parameters = SimulationParameters(**cohort["simulation"])
    return Path(settings["paths"]["data"]) / f"simulated-{parameters.hash}" / "manifest.csv"
