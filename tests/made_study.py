"""Writes a finished study with random predictions in a second, for tests of what reads studies."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from PIL import Image

from mds_lightning.cohort.fold_file import write_fold_record
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.patient_splitting import Fold
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.explain.faithfulness_curves import FaithfulnessCurves
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.fingerprint import Fingerprint
from mds_lightning.maps.importance_map import ImportanceMap
from mds_lightning.maps.map_file import write_map
from mds_lightning.maps.overlay import scale_importance

FOLDS = 3


def save_map(
    file: Path,
    explained: ExplainedImage,
    classes: Sequence[str],
    probabilities: NDArray[np.float32],
    drops: NDArray[np.float32],
    parameters: ExplanationParameters | None = None,
    curves: FaithfulnessCurves | None = None,
) -> ImportanceMap:
    """Write a map with the product's writer; its pixels are those of `drops`, eight times as large."""
    parameters = parameters or ExplanationParameters()
    has_windows = parameters.method == "occlusion"
    one = ImportanceMap(
        file=file,
        explained=explained,
        classes=tuple(classes),
        shown=int(probabilities.argmax()),
        probabilities=probabilities,
        low=drops.min((1, 2)),
        high=drops.max((1, 2)),
        fingerprint=Fingerprint(json.dumps(parameters.describe(), sort_keys=True), "a" * 64, "b" * 64),
        windows=(16,) if has_windows else (),
        stride=8 if has_windows else 0,
        drops=(drops,) if has_windows else (),
        curves=curves,
        importance=scale_importance(drops).repeat(8, 1).repeat(8, 2),
    )
    write_map(one)
    return one


class StudyMaker:
    """Writes `runs/made` and `smears/` below `folder`; every part can be asked for and left out.

    Attributes:
        folder: Where.
        patients: Internal patients, each class in turn.
        external: External patients, all of the last class.
        classes: Of the task.
        names: Number of a patient to an id of one's own.
        images: Number of a patient to a file name of one's own for its first image.
        method: Explanation method of the maps.
        least_drop: Setting of the maps.
    """

    def __init__(
        self,
        folder: Path,
        patients: int = 48,
        external: int = 6,
        classes: tuple[str, ...] = ("donor", "MDS"),
        method: str = "occlusion",
        least_drop: float = 0.05,
    ) -> None:
        self.folder, self.classes = folder, classes
        self.method, self.least_drop = method, least_drop
        self.names: dict[int, str] = {}
        self.images: dict[int, str] = {}
        self.patients, self.external = patients, external
        self.generator = np.random.default_rng(0)

    @property
    def study(self) -> Path:
        return self.folder / "runs" / "made"

    def patient(self, number: int) -> str:
        return self.names.get(number, f"P{number:03d}")

    def image(self, number: int, k: int) -> str:
        return self.images.get(number, f"{number:03d}_0.png") if k == 0 else f"{number:03d}_{k}.png"

    def label(self, number: int) -> str:
        return self.classes[-1 if number >= self.patients else number % len(self.classes)]

    def write(self, variants: tuple[str, ...] = ("resnet18",)) -> Path:
        """Write manifest, images, split and runs; return the study's directory."""
        self._write_manifest()
        internal = [number // len(self.classes) % FOLDS for number in range(self.patients)]
        parts = [tuple(self.patient(n) for n, k in enumerate(internal) if k == part) for part in range(FOLDS)]
        folds = [
            Fold(fold, parts[(fold + 2) % FOLDS], parts[(fold + 1) % FOLDS], parts[fold])
            for fold in range(FOLDS)
        ]
        self.study.mkdir(parents=True)
        text = write_fold_record(self._cohort(), SplitParameters(FOLDS, 0, 0.5), folds)
        (self.study / "folds.json").write_text(text)
        self.folds_hash = json.loads(text)["hash"]
        for place, variant in enumerate(variants):
            for fold in range(FOLDS):
                self._write_run(variant, fold, internal, 2.2 - 1.0 * place)
        return self.study

    def _cohort(self) -> Cohort:
        rows = [
            (self.image(number, k), self.patient(number), self.label(number), "", number >= self.patients)
            for number in range(self.patients + self.external)
            for k in range(2)
        ]
        columns = ["image", "patient_id", "label", "site", "external"]
        return Cohort(pd.DataFrame(rows, columns=columns), Path("manifest.csv"), Path(), {})

    def _write_manifest(self) -> None:
        rows = []
        for number in range(self.patients + self.external):
            for k in range(2):
                path = self.folder / "smears" / self.image(number, k)
                path.parent.mkdir(parents=True, exist_ok=True)
                colour = self.generator.integers(120, 240, (1, 1, 3))
                noise = self.generator.integers(-20, 20, (72, 96, 3))
                Image.fromarray((colour + noise).clip(0, 255).astype(np.uint8)).save(path)
                rows.append(
                    {
                        "image": self.image(number, k),
                        "patient_id": self.patient(number),
                        "label": self.label(number),
                        "site": f"site {number // 2 % 2}",
                        "external": str(number >= self.patients).lower(),
                        "age": 30 + number,
                        "sex": "female" if number % 4 < 2 else "male",
                    }
                )
        rows.append(rows[0] | {"image": "other.png", "patient_id": "A1", "label": "lymphoma"})
        pd.DataFrame(rows).to_csv(self.folder / "smears" / "manifest.csv", index=False)

    def _write_run(self, variant: str, fold: int, internal: list[int], signal: float) -> None:
        run = self.study / variant / f"fold-{fold}"
        (run / self.method).mkdir(parents=True)
        rows = []
        for number in range(self.patients + self.external):
            inside = number < self.patients
            role = (internal[number] - fold) % FOLDS if inside else -1
            if role == 2:
                continue
            target = self.classes.index(self.label(number))
            for k in range(2):
                logits = self.generator.normal(0, 1, len(self.classes))
                logits[target] += signal
                chance = np.exp(logits) / np.exp(logits).sum()
                rows.append(
                    {
                        "image": self.image(number, k),
                        "patient_id": self.patient(number),
                        "site": f"site {number // 2 % 2}",
                        "fold": fold,
                        "split": {0: "test", 1: "val", -1: "external"}[role],
                        "label": self.label(number),
                        "target": target,
                    }
                    | {f"prob_{name}": value for name, value in zip(self.classes, chance, strict=True)}
                )
        table = pd.DataFrame(rows)
        table.to_parquet(run / "predictions.parquet")
        self._write_maps(run, table[table["split"] == "test"].head(8), fold)
        epochs = np.arange(6)
        curves = pd.DataFrame(
            {
                "epoch": epochs,
                "val/loss": 0.7 - 0.05 * epochs,
                "val/auroc": 0.5 + 0.06 * epochs,
                "train/loss": 0.7 - 0.1 * epochs,
            }
        )
        tested = pd.DataFrame({"epoch": [6], "test/loss": [0.5]})
        pd.concat([curves, tested]).to_csv(run / "metrics.csv", index=False)
        (run / "config.yaml").write_text(yaml.safe_dump(self._settings(variant)))
        record = {
            "seed": 0, "fold": fold, "cohort_hash": "c" * 64, "folds_hash": self.folds_hash,
            "python": "3.11.7",
            "command": ["bin/mds-lightning", "train", "-m", "study=made", f"fold={fold}"],
            "started": f"2026-01-0{fold + 1}T00:00:00+00:00", "host": "here",
            "platform": "Linux", "git": "a" * 40,
            "packages": {"torch": "2.14.1", "numpy": "2.4.6"},
        }  # fmt: skip
        (run / "provenance.json").write_text(json.dumps(record))
        (run / "done.json").write_text(json.dumps({"val_auroc": 0.8, "epochs": 6, "seconds": 60.0}))

    def _write_maps(self, run: Path, rows: pd.DataFrame, fold: int) -> None:
        for place, row in enumerate(rows.to_dict("records")):
            drops = self.generator.normal(0, 0.2, (len(self.classes), 6, 8)).astype(np.float32)
            probabilities = np.array([row[f"prob_{name}"] for name in self.classes], np.float32)
            curves = FaithfulnessCurves(*np.linspace(probabilities.max(), (0.1, 0.2, 0.3), 11).T)
            save_map(
                run / self.method / f"{place}.npz",
                ExplainedImage(str(row["image"]), fold, "test", place, int(row["target"])),
                self.classes,
                probabilities,
                drops,
                ExplanationParameters(self.method, least_drop=self.least_drop),
                curves if place < 2 else None,
            )

    def _settings(self, variant: str) -> dict[str, object]:
        return {
            "study": "made",
            "cohort": {
                "manifest": "smears/manifest.csv",
                "root": None,
                "directory": None,
                "simulation": None,
            },
            "task": {"name": "made", "positive": None, "negative": None, "classes": list(self.classes)},
            "backbone": {"name": variant, "pretrained": False, "weights": None},
            "classifier": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.01},
            "augmentation": {"crop": 0.5, "flips": True, "rotation": 0.0},
            "sampling": {"name": "balanced"},
            "data": {"image_size": 96, "batch_size": 8},
            "trainer": {"max_epochs": 6},
            "callbacks": {
                "checkpoint": {"monitor": "val/auroc", "mode": "max"},
                "early_stopping": {"patience": 3},
            },
            "paths": {"runs": "runs", "data": "data"},
        }
