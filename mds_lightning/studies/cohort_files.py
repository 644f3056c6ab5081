"""The manifest of a study and the folder of its images: where they are."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from mds_lightning.cohort.path_or_url import File, Folder, locate_file, locate_folder
from mds_lightning.cohort.remote_folder import RemoteFile
from mds_lightning.cohort.simulation.simulated_cohort import SimulationParameters, simulate_cohort
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import describe_file, read_provenance
from mds_lightning.studies.settings import read_settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CohortFiles:
    """Manifest and images of a study.

    Attributes:
        manifest: The manifest.
        root: Folder that the paths in the manifest are relative to.
        has_changed: Whether the manifest differs from the file that was trained on; False if its hash was not
            recorded.
    """

    manifest: File
    root: Folder
    has_changed: bool = False


def is_simulated(settings: Mapping[str, Any]) -> bool:
    """Whether the simulator drew the images."""
    return settings["cohort"]["manifest"] is None


def prepare_cohort_files(settings: Mapping[str, Any]) -> CohortFiles:
    """The cohort that settings name; a simulated one is drawn if it is missing.

    Args:
        settings: Settings of `mds-lightning train`. Relative paths start from the current folder.

    Raises:
        ValueError: `cohort.manifest` is missing, or a parameter of the simulation is out of its range.
    """
    cohort = settings["cohort"]
    if not is_simulated(settings):
        manifest = locate_file(cohort["manifest"], "cohort.manifest")
    elif cohort["simulation"] is None:
        raise ValueError("cohort.manifest has no value: give cohort.manifest=FILE")
    else:
        manifest = _named_manifest(settings)
        assert isinstance(manifest, Path), "the simulator writes to this machine"
        folder = manifest.parent
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Several jobs may start at the same time: one draws, the others wait.
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            manifest = simulate_cohort(folder, SimulationParameters(**cohort["simulation"]))
    named = cohort["root"]
    return CohortFiles(manifest, manifest.parent if named is None else locate_folder(named, "cohort.root"))


def require_cohort_files(
    study: StudyDirectory, run: RunDirectory, manifest: str | None = None, root: str | None = None
) -> CohortFiles:
    """The manifest that a run was trained on and the folder of its images.

    Args:
        study: The study.
        run: One of its runs.
        manifest: Path or URL of the manifest if it was moved; None: see `find_cohort_files`.
        root: Path or URL of the folder of the images, likewise.

    Raises:
        ValueError: The manifest is not found.
    """
    if manifest is not None:
        given = locate_file(manifest, "cohort.manifest")
        return CohortFiles(given, given.parent if root is None else locate_folder(root, "cohort.root"))
    found = find_cohort_files(study, run, root)
    if found is None:
        named = read_settings(run.config)["cohort"]["manifest"] or "the simulated cohort"
        raise ValueError(
            f"{named}, on which {run.path} was trained, is neither where {run.provenance} says nor "
            "in a folder above the study: restore it, or start from the folder in which it was trained "
            "(explain also takes cohort.manifest=FILE and cohort.root=DIR)"
        )
    return found


def find_cohort_files(
    study: StudyDirectory, run: RunDirectory, root: str | None = None
) -> CohortFiles | None:
    """The manifest that a run was trained on and the folder of its images; None without a manifest.

    Both are searched for where the run recorded them, then, if its settings name relative paths, from each of
    the `training_folders`. Of several manifests the one with the recorded hash is taken; if none has it, the
    first one, and a warning is logged. A warning is also logged if the folder of the images is missing.

    Args:
        study: The study.
        run: One of its runs.
        root: Path or URL of the folder of the images if it was moved.
    """
    settings, record = read_settings(run.config), read_provenance(run.provenance)
    folders = training_folders(study, settings, record)
    manifests = _candidates(record.get("manifest", {}).get("path"), _named_manifest(settings), folders)
    # Each remote file is requested once, also if the server cannot be reached.
    found = [path for path in manifests if path.is_file()]
    if not found:
        return None
    expected = record.get("manifest", {}).get("sha256")
    same = (path for path in found if describe_file(path)["sha256"] == expected)
    manifest = found[0] if expected is None else next(same, None)
    has_changed = manifest is None
    if manifest is None:
        manifest = found[0]
        log.warning(
            "%s has changed since %s was trained: its current clinical columns are used", manifest, study.path
        )
    if root is not None:
        return CohortFiles(manifest, locate_folder(root, "cohort.root"), has_changed)
    return CohortFiles(manifest, _find_root(settings, record, folders, manifest, study), has_changed)


def locate_settings(study: StudyDirectory, run: RunDirectory) -> dict[str, Any]:
    """The settings of a run, with the cache and the stain reference where they are now.

    Args:
        study: The study.
        run: One of its runs.
    """
    settings = read_settings(run.config)
    folders = training_folders(study, settings, read_provenance(run.provenance))
    cache, data = settings["cache"], settings["data"]
    cache["directory"] = str(_first_existing(cache["directory"], folders))
    if data["stain_reference"] is not None:
        data["stain_reference"] = str(_first_existing(data["stain_reference"], folders))
    return settings


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


def _candidates(recorded: str | None, named: File, folders: Sequence[Path]) -> list[File]:
    found: list[File] = [] if recorded is None else [locate_file(recorded, "manifest")]
    if isinstance(named, RemoteFile):
        found.append(named)
    else:
        found += [folder / named for folder in folders]
    return list({str(path): path for path in found}.values())


def _find_root(
    settings: Mapping[str, Any],
    record: Mapping[str, Any],
    folders: Sequence[Path],
    manifest: File,
    study: StudyDirectory,
) -> Folder:
    named = settings["cohort"]["root"]
    if named is None:
        return manifest.parent
    root = locate_folder(named, "cohort.root")
    if not isinstance(root, Path):
        return root
    recorded = record.get("root")
    candidates = [Path(recorded)] if recorded is not None else []
    candidates += [folder / root for folder in folders]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    log.warning(
        "the images of %s are not found: cohort.root=%s is neither in the folder in which the study was "
        "trained nor in a folder above the study",
        *(study.path, named),
    )
    return candidates[0]


def _named_manifest(settings: Mapping[str, Any]) -> File:
    """The manifest as the settings name it."""
    cohort = settings["cohort"]
    if cohort["manifest"] is not None:
        return locate_file(cohort["manifest"], "cohort.manifest")
    if cohort["directory"] is not None:
        return Path(cohort["directory"]) / "manifest.csv"
    parameters = SimulationParameters(**cohort["simulation"])
    return Path(settings["paths"]["data"]) / f"simulated-{parameters.hash}" / "manifest.csv"
