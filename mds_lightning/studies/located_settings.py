"""Settings of a finished run with the paths where the files are now."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mds_lightning.data.cache import is_cache
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import read_provenance
from mds_lightning.studies.settings import read_settings


def locate_settings(study: StudyDirectory, run: RunDirectory) -> dict[str, Any]:
    """The settings of a run, with the cache and the stain reference where they are now.

    Args:
        study: The study.
        run: One of its runs.
    """
    settings = read_settings(run.config)
    folders = training_folders(study, settings, read_provenance(run.provenance))
    cache, data = settings["cache"], settings["data"]
    cache["directory"] = str(_locate_cache(cache["directory"], folders))
    if data["stain_reference"] is not None:
        data["stain_reference"] = str(_first_existing(data["stain_reference"], folders))
    return settings


def _locate_cache(name: str, folders: Sequence[Path]) -> Path:
    """The recorded cache; another one beside the study if that would be made in any other place."""
    found = _first_existing(name, folders)
    inside = any(found.resolve().is_relative_to(folder.resolve()) for folder in folders[:1])
    if inside or is_cache(found):
        return found
    return folders[0] / "data" / "cache"


def _first_existing(name: str, folders: Sequence[Path]) -> Path:
    """`name` in the first folder that has it; if none has it, in the first folder."""
    places = [folder / name for folder in folders]
    return next((path for path in places if path.exists()), places[0])


def training_folders(
    study: StudyDirectory, settings: Mapping[str, Any], record: Mapping[str, Any]
) -> list[Path]:
    """Folders from which relative paths of a study's settings may start, the most likely first.

    The first is the folder that contains `paths.runs`, also if it was moved together with the study; then the
    folder in which the study was trained, the folders above the study, and the current folder.

    Args:
        study: The study.
        settings: Settings of one of its runs.
        record: Provenance of the run.
    """
    here, runs = study.path.resolve(), Path(settings["paths"]["runs"])
    # A study may have been renamed, but not moved out of `paths.runs`.
    depth = len(Path(settings["study"]).parts)
    named = _strip(here.parents[depth - 1], runs)
    recorded = record.get("folder")
    if recorded is not None:
        trained = [Path(recorded)]
    else:
        # Studies of version 0.1.0 recorded only the manifest's absolute path.
        path, manifest = record.get("manifest", {}).get("path"), settings["cohort"]["manifest"]
        trained = [] if path is None or manifest is None else _strip(Path(path), Path(manifest))
    return list(dict.fromkeys([*named, *trained, *here.parents, Path.cwd()]))


def _strip(path: Path, end: Path) -> list[Path]:
    """The folder from which the relative path `end` leads to `path`, if there is one."""
    if end.is_absolute() or path.parts[-len(end.parts) :] != end.parts:
        return []
    return [path.parents[len(end.parts) - 1]]
