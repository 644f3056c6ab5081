"""The manifest of a study and the folder of its images: where they are."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from mds_lightning.cohort.cohort_parameters import CohortLocation
from mds_lightning.cohort.path_or_url import File, Folder, is_url, locate_file, locate_folder
from mds_lightning.cohort.remote_folder import RemoteFile
from mds_lightning.cohort.simulation.simulated_cohort import SimulationParameters, simulate_cohort
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.located_settings import training_folders
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


class UnnamedAddressError(ValueError):
    """A study names an address that the user did not name."""


#: The user names nothing: the cohort is where the study recorded it.
UNNAMED = CohortLocation()


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
    study: StudyDirectory, run: RunDirectory, location: CohortLocation = UNNAMED
) -> CohortFiles:
    """As `find_cohort_files`, but a manifest that is not found is an error.

    Raises:
        ValueError: The manifest is not found, or lies at an address that the user did not name.
    """
    found = _find(study, run, location)
    if found is None:
        named = read_settings(run.config)["cohort"]["manifest"] or "the simulated cohort"
        raise ValueError(
            f"{named}, on which {run.path} was trained, is neither where {run.provenance} says nor "
            "in a folder above the study: restore it, start from the folder in which it was trained, or give "
            "cohort.manifest=FILE and cohort.root=DIR"
        )
    return found


def find_cohort_files(
    study: StudyDirectory, run: RunDirectory, location: CohortLocation = UNNAMED
) -> CohortFiles | None:
    """The manifest that a run was trained on and the folder of its images.

    Both are searched for where the run recorded them, then, if its settings name relative paths, from each of
    the `training_folders`. Of several manifests the one with the recorded hash is taken; if none has it, the
    first one, and a warning is logged. A warning is also logged if the folder of the images is missing.

    Addresses that a study recorded are not followed, because a study of somebody else could make this machine
    call any server: the user names them again.

    Args:
        study: The study.
        run: One of its runs.
        location: Paths or URLs that the user names, if they are remote or were moved.

    Returns:
        None, with a logged warning, without a manifest.
    """
    try:
        found = _find(study, run, location)
    except UnnamedAddressError as error:
        log.warning("%s. No patient characteristics, subgroups or maps are shown", error)
        return None
    if found is None:
        log.warning(
            "the manifest that %s names is not found: no patient characteristics, subgroups or maps",
            run.config,
        )
    return found


def _find(study: StudyDirectory, run: RunDirectory, location: CohortLocation) -> CohortFiles | None:
    root = None if location.root is None else locate_folder(location.root, "cohort.root")
    if location.manifest is not None:
        given = locate_file(location.manifest, "cohort.manifest")
        return CohortFiles(given, given.parent if root is None else root)
    settings, record = read_settings(run.config), read_provenance(run.provenance)
    folders = training_folders(study, settings, record)
    manifests = _candidates(record.get("manifest", {}).get("path"), _named_manifest(settings), folders)
    # Each remote file is requested once, also if the server cannot be reached.
    found = [path for path in manifests if _may_be_read(path, root) and path.is_file()]
    if not found:
        remote = next((path for path in manifests if not _may_be_read(path, root)), None)
        if remote is not None:
            raise UnnamedAddressError(_ask_for(study, settings, remote))
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
    if root is None:
        root = _find_root(settings, record, folders, manifest, study)
    return CohortFiles(manifest, root, has_changed)


def _may_be_read(path: File, root: Folder | None) -> bool:
    """Whether a recorded file is on this machine, or below an address that the user named."""
    return isinstance(path, Path) or (root is not None and str(path).startswith(f"{root}/"))


def _ask_for(study: StudyDirectory, settings: Mapping[str, Any], manifest: File | None = None) -> str:
    """What to give so that the recorded addresses of a study are followed."""
    named = settings["cohort"]["root"]
    keys = [] if manifest is None else [f"cohort.manifest={manifest}"]
    if named is not None and is_url(named):
        keys.append(f"cohort.root={named}")
    return (
        f"the cohort of {study.path} is at an address, which is followed only if you name it. If you trust "
        f"it, give the command again with {shlex.join(keys)}"
    )


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
    if is_url(named):
        raise UnnamedAddressError(_ask_for(study, settings))
    root = Path(named)
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
