"""Files and directories of a study. This layout is public: other programs may read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.studies.run_record import read_run_record, write_run_record

#: Start of the name of the folder of a fold, and of the folder of a seed if there are several seeds.
FOLD, SEED = "fold-", "seed-"


@dataclass(frozen=True)
class RunDirectory:
    """Directory of one fold of one variant: `runs/<study>/<variant>/fold-<k>`.

    With several seeds (`seeds=`): `runs/<study>/<variant>/seed-<s>/fold-<k>`.
    """

    path: Path

    @property
    def seed(self) -> int | None:
        """The seed in the path; None if the variant is trained with one seed."""
        return _number(self.path.absolute().parent.name, SEED)

    @property
    def variant(self) -> Path:
        """Directory of the variant."""
        folder = self.path.absolute().parent
        return folder if self.seed is None else folder.parent

    @property
    def study(self) -> "StudyDirectory":
        """The study of the run."""
        return StudyDirectory(self.variant.parent)

    @property
    def config(self) -> Path:
        """Resolved configuration (YAML)."""
        return self.path / "config.yaml"

    @property
    def provenance(self) -> Path:
        """Versions, hashes, seed, command and host (JSON)."""
        return self.path / "provenance.json"

    @property
    def best_checkpoint(self) -> Path:
        """Weights with the best validation metric."""
        return self.path / "checkpoints" / "best.ckpt"

    @property
    def last_checkpoint(self) -> Path:
        """State after the last finished epoch, from which an interrupted run continues."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def metrics(self) -> Path:
        """Learning curves (CSV, one row per epoch)."""
        return self.path / "metrics.csv"

    @property
    def predictions(self) -> Path:
        """One row per image: the only source of every reported number (Parquet)."""
        return self.path / "predictions.parquet"

    @property
    def recalibration(self) -> Path:
        """Offsets and slope of the model's probabilities, from its validation rows (JSON)."""
        return self.path / "recalibration.json"

    @property
    def skipped(self) -> Path:
        """Images that cannot be decoded and were skipped; only with `data.on_error=skip`.

        CSV: image, lost_patient (the patient, if none of their images remains), reason.
        """
        return self.path / "skipped.csv"

    def maps(self, method: str) -> Path:
        """Folder of the maps of one method (`explain.method`), such as `occlusion`."""
        return self.path / method

    def explained(self) -> dict[str, Path]:
        """Method to its folder, sorted, for each method that has maps."""
        folders = {file.parent for file in self.path.glob("*/[!.]*.npz")}
        return {folder.name: folder for folder in sorted(folders)}

    @property
    def done(self) -> Path:
        """Written last; its presence means that the run is finished (JSON)."""
        return self.path / "done.json"

    def is_begun(self) -> bool:
        """Whether an epoch or the whole run is finished: from then on, its settings may not change."""
        return self.done.is_file() or any(self.last_checkpoint.parent.glob("[!.]*.ckpt"))

    def mark_done(self, record: Mapping[str, Any]) -> None:
        """Write `done.json` with `record` (see `studies.run_record.RunRecord`)."""
        write_run_record(self.done, record)

    def read_done(self) -> dict[str, Any] | None:
        """The record of `mark_done`, or None while the run is unfinished.

        Raises:
            DamagedFileError: It is damaged, or was changed after it was written.
        """
        return read_run_record(self.done)

    def map_files(self, folder: Path) -> list[Path]:
        """Maps and their pictures in a folder of maps and its subfolders, sorted."""
        kinds = ("*.npz", "*.png")
        return sorted(file for kind in kinds for file in folder.rglob(kind) if file.name[0] != ".")

    def recorded(self) -> list[Path]:
        """Files whose SHA-256 is recorded in `done.json`; some may not exist."""
        results = [self.config, self.provenance, self.best_checkpoint, self.metrics]
        results += [self.predictions, self.recalibration, self.skipped]
        return results + [file for folder in self.explained().values() for file in self.map_files(folder)]

    def relative_name(self, file: Path) -> str:
        """Path of a file of this run as `done.json` records it: relative, with `/`."""
        return file.absolute().relative_to(self.path.absolute()).as_posix()


@dataclass(frozen=True)
class StudyDirectory:
    """Directory of a study, `runs/<study>`: its folds, variants and evaluation.

    Attributes:
        path: The directory.
        output: Folder of the evaluation; None: `evaluation` in the directory.
    """

    path: Path
    output: Path | None = None

    @property
    def folds(self) -> Path:
        """The split, written once (JSON)."""
        return self.path / "folds.json"

    @property
    def evaluation(self) -> Path:
        """All tables and figures, computed from the predictions."""
        return self.path / "evaluation" if self.output is None else self.output

    def run(self, variant: str, fold: int, seed: int | None = None) -> RunDirectory:
        """Directory of one fold of a variant; `seed` is None for a variant trained with one seed."""
        return RunDirectory(self._of_seed(variant, seed) / f"{FOLD}{fold}")

    def variants(self) -> list[str]:
        """Names of the variants (backbones, or trials of a search) with at least one fold, sorted."""
        runs = (run for pattern in (f"*/{FOLD}*", f"*/{SEED}*/{FOLD}*") for run in self.path.glob(pattern))
        folds = (run for run in runs if _holds_files(run) and _number(run.name, FOLD) is not None)
        return sorted({run.relative_to(self.path).parts[0] for run in folds})

    def seeds(self, variant: str) -> list[int]:
        """The seeds of a variant that is trained with several, sorted; empty for one seed."""
        return sorted(_list_numbers(self.path / variant, SEED))

    def runs(self, variant: str, seed: int | None = None) -> dict[int, RunDirectory]:
        """Fold number to run directory, in order, for the existing folds of `variant`.

        Args:
            variant: Name of the variant.
            seed: One of its `seeds`; None: the first of them, if there are several.
        """
        if seed is None:
            seed = next(iter(self.seeds(variant)), None)
        folds = sorted(_list_numbers(self._of_seed(variant, seed), FOLD))
        return {fold: self.run(variant, fold, seed) for fold in folds}

    def all_runs(self, variant: str) -> list[RunDirectory]:
        """The existing folds of `variant`, of every seed."""
        seeds: list[int | None] = [*self.seeds(variant)] or [None]
        return [run for seed in seeds for run in self.runs(variant, seed).values()]

    def every_run(self) -> list[RunDirectory]:
        """The existing folds of every variant and every seed."""
        return [run for variant in self.variants() for run in self.all_runs(variant)]

    def _of_seed(self, variant: str, seed: int | None) -> Path:
        folder = self.path / variant
        return folder if seed is None else folder / f"{SEED}{seed}"


def _number(name: str, start: str) -> int | None:
    found = re.fullmatch(rf"{start}(\d+)", name)
    return None if found is None else int(found[1])


def _list_numbers(folder: Path, start: str) -> list[int]:
    """Numbers of the folders in `folder` that are called `<start><number>`; others do not belong to it."""
    numbers = [_number(path.name, start) for path in folder.glob(f"{start}*") if _holds_files(path)]
    return [number for number in numbers if number is not None]


def _holds_files(folder: Path) -> bool:
    """Whether a folder exists and is not empty: a start that is refused leaves an empty one."""
    return folder.is_dir() and any(folder.iterdir())
