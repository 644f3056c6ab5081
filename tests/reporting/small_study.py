"""A study of 40 patients in five folds, as files of made predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from mds_lightning.cohort.fold_file import write_fold_record
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.patient_splitting import Fold
from mds_lightning.cohort.split_parameters import SplitParameters

CLASSES = ("donor", "MDS")


def rows_of(patients: list[str], fold: int, split: str, seed: int, signal: float = 1.5) -> pd.DataFrame:
    """Two images a patient; even numbers are MDS."""
    generator = np.random.default_rng(seed)
    target = np.array([(int(name[1:]) + 1) % 2 for name in patients]).repeat(2)
    logit = generator.normal(size=len(patients)).repeat(2) + generator.normal(size=len(target)) * 0.3
    chance = (1 / (1 + np.exp(-(logit + signal * (2 * target - 1) / 2)))).astype(np.float32)
    return pd.DataFrame(
        {
            "image": [f"{name}_{k}.jpg" for name in patients for k in range(2)],
            "patient_id": np.repeat(patients, 2),
            "site": "",
            "fold": fold,
            "split": split,
            "label": [CLASSES[k] for k in target],
            "target": target,
            "prob_donor": 1 - chance,
            "prob_MDS": chance,
        }
    )


def fold_text(folds: list[Fold]) -> str:
    """The fold file of a cohort of one image a patient."""
    patients = sorted({name for fold in folds for name in fold.test})
    table = pd.DataFrame({"image": patients, "patient_id": patients, "site": "", "external": False})
    table["label"] = [CLASSES[(int(name[1:]) + 1) % 2] for name in patients]
    cohort = Cohort(table, Path("manifest.csv"), Path(), {})
    return write_fold_record(cohort, SplitParameters(len(folds), 0, 0.25), folds)


def make_study(path: Path, variants: tuple[str, ...] = ("resnet18",), external: tuple[str, ...] = ()) -> Path:
    """Five folds of 40 patients; `external` patients are predicted by every fold."""
    patients = [f"p{k}" for k in range(40)]
    folds = []
    for k in range(5):
        test = patients[k * 8 : k * 8 + 8]
        rest = [name for name in patients if name not in test]
        folds.append(Fold(k, tuple(rest[8:]), tuple(rest[:8]), tuple(test)))
    path.mkdir(parents=True)
    (path / "folds.json").write_text(fold_text(folds))
    for place, variant in enumerate(variants):
        for fold in folds:
            k = fold.index
            run = path / variant / f"fold-{k}"
            run.mkdir(parents=True)
            seed = 100 * place + k
            parts = [rows_of([*fold.val], k, "val", seed), rows_of([*fold.test], k, "test", seed + 50)]
            if external:
                parts.append(rows_of(list(external), k, "external", seed))
            pd.concat(parts, ignore_index=True).to_parquet(run / "predictions.parquet", index=False)
            (run / "done.json").write_text("{}")
    return path


def config(study: Path, **changes: Any) -> Any:
    settings = {"study": str(study), "selection": "none", "aggregation": "mean", "n_resamples": 200}
    settings |= {"confidence": 0.95, "seed": 0, "prevalence": None, "recalibrate": "none"}
    settings |= {"output": None}
    return OmegaConf.create(settings | changes)


def pick(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table


def pooled_rows(study: Path) -> pd.DataFrame:
    table = pd.concat([pd.read_parquet(file) for file in sorted(study.glob("*/*/predictions.parquet"))])
    return table[table["split"] == "test"]
