"""The map files of runs, verified against the records of the runs."""

from collections.abc import Iterable
from pathlib import Path

from mds_lightning.maps.map_file import group_map_files, map_files
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.recorded_files import AlteredRunError, compare_file, recorded_hashes


def find_maps(runs: Iterable[RunDirectory]) -> dict[str, list[Path]]:
    """Map files of several runs by method (see `maps.map_file.group_map_files`), each as recorded.

    Raises:
        AlteredRunError: A map differs from the recorded one, is not recorded, or some but not all maps of a
            method were removed.
    """
    several = list(runs)
    for run in several:
        for folder in run.explained().values():
            verify_maps(run, folder)
    return group_map_files(run.explained() for run in several)


def verify_maps(run: RunDirectory, folder: Path, is_being_completed: bool = False) -> None:
    """Raise unless the maps in a folder of a finished run are as recorded.

    Args:
        run: The run; nothing is verified if it has no record.
        folder: Folder of the maps of one method; nothing is verified if it is not in the run.
        is_being_completed: Maps may be missing, as after the user deleted them to compute them again, or not
            be recorded yet, as after an interrupted `explain`.

    Raises:
        AlteredRunError: They are not.
    """
    hashes = recorded_hashes(run.read_done())
    if not folder.absolute().is_relative_to(run.path.absolute()):
        name = name_inside(run, folder)
        if name is None:
            return
        folder = run.path / name
    if hashes is None or not folder.is_dir():
        return
    start = run.relative_name(folder) + "/"
    recorded = [run.path / name for name in hashes if name.startswith(start) and name.endswith(".npz")]
    readable = [file for file in recorded if file.parent == folder]
    for file in sorted({*map_files(folder), *readable}):
        state = compare_file(run, file, hashes)
        if state.state == "recorded" or (is_being_completed and state.state in ("missing", "not recorded")):
            continue
        remedy = state.remedy
        if state.state == "missing":
            remedy = f"`mds-lightning explain run={run.path}` computes it again; or remove {folder}"
        elif state.state == "not recorded":
            remedy = (
                f"remove it; or, if `mds-lightning explain` was interrupted, give that command again, which "
                f"completes the maps in {folder}"
            )
        raise AlteredRunError(state.finding, remedy)


def name_inside(run: RunDirectory, folder: Path) -> Path | None:
    """Path of a folder relative to a run, links resolved; None for a folder that is not in the run."""
    start, there = run.path.resolve(), folder.resolve()
    return there.relative_to(start) if start in there.parents else None
