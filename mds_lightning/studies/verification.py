"""Comparison of all files of a study with what its runs recorded."""

from collections.abc import Iterator
from dataclasses import dataclass

from mds_lightning.cohort.damaged_file import reading
from mds_lightning.cohort.explained_error import ExplainedError
from mds_lightning.cohort.folds import FoldError, read_folds
from mds_lightning.studies.checkpoint_origin import list_differences, read_origin
from mds_lightning.studies.layout import FOLD, RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import read_provenance
from mds_lightning.studies.recorded_files import FileState, compare_file, recorded_hashes


@dataclass(frozen=True)
class RunVerification:
    """The files of one run.

    Attributes:
        name: `<variant>/fold-<k>`.
        is_finished: Whether the run is finished; the files of an unfinished run are not recorded yet.
        is_recorded: Whether its files were recorded; False for runs that an earlier version finished.
        n_files: Number of files that are as recorded.
        differences: The other files.
    """

    name: str
    is_finished: bool
    is_recorded: bool
    n_files: int
    differences: tuple[FileState, ...]


@dataclass(frozen=True)
class StudyVerification:
    """The files of a study.

    Attributes:
        folds: What is wrong with `folds.json`; '' if nothing is.
        runs: Every run.
    """

    folds: str
    runs: tuple[RunVerification, ...]

    @property
    def failed(self) -> bool:
        """Whether something differs."""
        return bool(self.folds) or any(run.differences for run in self.runs)


def verify_study(study: StudyDirectory) -> StudyVerification:
    """Compare every file of a study with its record. Nothing depends on where the study lies.

    Raises:
        ValueError: There is no such study.
    """
    if not study.folds.is_file() and not study.variants():
        raise ValueError(f"{study.path} contains no trained study: give another study=DIR")
    folds_hash, fault = "", ""
    try:
        folds_hash = read_folds(study.folds).hash
    except FileNotFoundError:
        fault = f"{study.folds} is missing: restore it"
    except FoldError as error:
        fault = str(error)
    runs = tuple(
        _verify_run(str(run.path.relative_to(study.path)), run, folds_hash) for run in study.every_run()
    )
    return StudyVerification(fault, runs)


def _verify_run(name: str, run: RunDirectory, folds_hash: str) -> RunVerification:
    try:
        record = run.read_done()
    except ExplainedError as error:
        return RunVerification(name, True, True, 0, (_state(run.done.name, error),))
    hashes = recorded_hashes(record)
    if record is None or hashes is None:
        faults = tuple(_find_faults(run, folds_hash)) if record is not None else ()
        return RunVerification(name, record is not None, False, 0, faults)
    files = sorted({*run.recorded(), *(run.path / each for each in hashes)})
    existing = [file for file in files if file.is_file() or run.relative_name(file) in hashes]
    states = [compare_file(run, file, hashes) for file in existing]
    differences = [state for state in states if state.state != "recorded"]
    if not differences:
        differences = list(_find_faults(run, folds_hash))
    return RunVerification(name, True, True, len(states) - len(differences), tuple(differences))


def _find_faults(run: RunDirectory, folds_hash: str) -> Iterator[FileState]:
    """What is wrong although every file is as recorded: run and study, or checkpoint and run, do not fit."""
    redo = f"restore it, or delete {run.path} and train the fold again"
    try:
        record = read_provenance(run.provenance)
    except ExplainedError as error:
        yield _state(run.provenance.name, error)
        return
    expected = {"fold": int(run.path.name.removeprefix(FOLD)), "folds_hash": folds_hash}
    for key, value in expected.items():
        if key in record and value != "" and record[key] != value:
            finding = f"{run.provenance} has {key} {record[key]}, but the study has {value} there"
            yield FileState(run.provenance.name, "differs", finding, redo)
    if run.best_checkpoint.is_file():
        try:
            with reading(run.best_checkpoint, redo):
                differences = list_differences(read_origin(run.best_checkpoint), record)
        except ExplainedError as error:
            yield _state(run.relative_name(run.best_checkpoint), error)
            return
        if differences:
            finding = f"{run.best_checkpoint} is of another run ({'; '.join(differences)})"
            yield FileState(run.relative_name(run.best_checkpoint), "differs", finding, redo)


def _state(name: str, error: ExplainedError) -> FileState:
    return FileState(name, "differs", error.finding, error.remedy)
