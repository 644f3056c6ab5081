"""Where a study keeps its files (this layout is our API), and how they are written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.cohort.atomic_file import write_atomically

__all__ = ["RunDirectory", "StudyDirectory", "write_atomically"]


@dataclass(frozen=True)
class RunDirectory:
    """One variant's one fold: `runs/<study>/<variant>/fold-<k>`."""

    path: Path

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
        """State after the last finished epoch: an interrupted run goes on from here."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def metrics(self) -> Path:
        """Learning curves (CSV, one row an epoch)."""
        return self.path / "metrics.csv"

    @property
    def predictions(self) -> Path:
        """One row an image: the only source of every reported number (Parquet)."""
        return self.path / "predictions.parquet"

    @property
    def skipped(self) -> Path:
        """Images that cannot be decoded and were left out; absent unless asked for.

        CSV: image, lost_patient (the patient, if none of their images is left), reason.
        """
        return self.path / "skipped.csv"

    @property
    def occlusion(self) -> Path:
        """Folder of occlusion maps: `<image>.npz` and `<image>.png`."""
        return self.path / "occlusion"

    def maps(self, method: str) -> Path:
        """Folder of the maps of one method (`explain.method`), such as `occlusion`."""
        return self.path / method

    def explained(self) -> dict[str, Path]:
        """Method to its folder, for those by which test images were explained, sorted."""
        folders = {file.parent for file in self.path.glob("*/[!.]*.npz")}
        return {folder.name: folder for folder in sorted(folders)}

    @property
    def done(self) -> Path:
        """Written last; its presence means that nothing of this run is left to do (JSON)."""
        return self.path / "done.json"

    def mark_done(self, record: Mapping[str, Any]) -> None:
        """Write `done.json` with `record` (plain JSON values)."""
        with write_atomically(self.done) as temporary:
            temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")

    def read_done(self) -> dict[str, Any] | None:
        """The record of `mark_done`, or None while the run is unfinished."""
        return json.loads(self.done.read_text()) if self.done.is_file() else None


@dataclass(frozen=True)
class StudyDirectory:
    """One study: `runs/<study>` with its folds, its variants and its evaluation."""

    path: Path

    @property
    def folds(self) -> Path:
        """The split, written once (JSON)."""
        return self.path / "folds.json"

    @property
    def dashboard(self) -> Path:
        """W&B dashboard of the study's runs (JSON)."""
        return self.path / "wandb_dashboard.json"

    @property
    def evaluation(self) -> Path:
        """Every number, table and figure, rebuilt from predictions alone."""
        return self.path / "evaluation"

    def run(self, variant: str, fold: int) -> RunDirectory:
        """The directory of one variant's fold."""
        return RunDirectory(self.path / variant / f"fold-{fold}")

    def variants(self) -> list[str]:
        """Names of the variants (backbones, or trials of a search) that have at least one fold, sorted."""
        return sorted(
            {str(run.parent.relative_to(self.path)) for run in self.path.glob("*/fold-*") if run.is_dir()}
        )

    def runs(self, variant: str) -> dict[int, RunDirectory]:
        """Fold number to run directory, for the folds of `variant` that exist, in order."""
        found = {
            int(run.name.removeprefix("fold-")): RunDirectory(run)
            for run in (self.path / variant).glob("fold-*")
        }
        return dict(sorted(found.items()))
