"""Files and directories of a study. This layout is public: other programs may read it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.cohort.atomic_file import write_atomically


@dataclass(frozen=True)
class RunDirectory:
    """Directory of one fold of one variant: `runs/<study>/<variant>/fold-<k>`."""

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

    def mark_done(self, record: Mapping[str, Any]) -> None:
        """Write `done.json` with `record` (plain JSON values)."""
        with write_atomically(self.done) as temporary:
            temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")

    def read_done(self) -> dict[str, Any] | None:
        """The record of `mark_done`, or None while the run is unfinished."""
        return json.loads(self.done.read_text()) if self.done.is_file() else None


@dataclass(frozen=True)
class StudyDirectory:
    """Directory of a study, `runs/<study>`: its folds, variants and evaluation."""

    path: Path

    @property
    def folds(self) -> Path:
        """The split, written once (JSON)."""
        return self.path / "folds.json"

    @property
    def evaluation(self) -> Path:
        """All tables and figures, computed from the predictions."""
        return self.path / "evaluation"

    def run(self, variant: str, fold: int) -> RunDirectory:
        """Directory of one fold of a variant."""
        return RunDirectory(self.path / variant / f"fold-{fold}")

    def variants(self) -> list[str]:
        """Names of the variants (backbones, or trials of a search) with at least one fold, sorted."""
        return sorted(
            {str(run.parent.relative_to(self.path)) for run in self.path.glob("*/fold-*") if run.is_dir()}
        )

    def runs(self, variant: str) -> dict[int, RunDirectory]:
        """Fold number to run directory, in order, for the existing folds of `variant`."""
        found = {
            int(run.name.removeprefix("fold-")): RunDirectory(run)
            for run in (self.path / variant).glob("fold-*")
        }
        return dict(sorted(found.items()))
