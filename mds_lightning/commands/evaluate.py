"""`mds-lightning evaluate`: every number and figure of a study, from the rows of its predictions."""

import json
import logging
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from omegaconf import DictConfig
from rich.console import Console

from mds_lightning.reporting.figures.roc import draw_roc
from mds_lightning.reporting.figures.style import save_figure
from mds_lightning.reporting.tables import format_estimate, show_estimates, write_csv
from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.estimates import Settings, estimate
from mds_lightning.statistics.external import compare_external
from mds_lightning.statistics.pooling import ExpectedPatients, pool_folds
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.roc import RocCurve, trace_roc
from mds_lightning.tracking.run_directory import RunDirectory, StudyDirectory

log = logging.getLogger(__name__)

#: Names the rows that every internal estimate rests on.
HELD_OUT = "held-out patients, folds pooled"


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        estimates: Variant to its table (`statistics.estimates.COLUMNS`).
        files: Everything that was written.
    """

    estimates: dict[str, pd.DataFrame]
    files: tuple[Path, ...]


def evaluate(config: DictConfig) -> Evaluation:
    """Pool the folds of every variant of a study; write `evaluation/<variant>/` and show its headlines.

    A decision is the class with the largest probability: for two classes, positive above 0.5.

    Args:
        config: `conf/evaluate.yaml`.

    Raises:
        ValueError: There is no such study; a fold is unfinished, missing, doubled or of another split; a
            row's probabilities are no probabilities.
    """
    study = StudyDirectory(Path(config.study))
    settings = Settings(config.aggregation, config.n_resamples, config.confidence, config.seed)
    estimates: dict[str, pd.DataFrame] = {}
    files: list[Path] = []
    console = Console()
    for variant, predictions in read_study(study).items():
        folder = study.evaluation / variant
        table = _estimate(predictions, settings)
        estimates[variant] = table
        files.append(write_csv(table, folder / "metrics.csv"))
        files += _draw(predictions, table, settings, folder)
        console.print(*show_estimates(table, f"{study.path.name}, {variant}", settings.confidence))
    for path in files:
        console.print(f"wrote {path}", soft_wrap=True, highlight=False)
    return Evaluation(estimates, tuple(files))


def read_study(study: StudyDirectory) -> dict[str, Predictions]:
    """Variant to its pooled rows, for every variant of a finished study.

    Raises:
        ValueError: See `evaluate`.
    """
    if not study.path.is_dir():
        raise ValueError(f"{study.path} is no directory: give study=DIR, such as study=runs/demo")
    if not study.folds.is_file() or not study.variants():
        raise ValueError(f"{study.path} holds no trained study: train it first, or give another study=DIR")
    expected = _expected_patients(study.folds)
    pooled = {}
    for variant in study.variants():
        runs = study.runs(variant)
        _refuse_unfinished(study, variant, runs, len(expected))
        pooled[variant] = pool_folds({fold: run.predictions for fold, run in runs.items()}, expected)
    return pooled


def _expected_patients(path: Path) -> dict[int, ExpectedPatients]:
    try:
        folds = json.loads(path.read_text(encoding="utf-8"))["folds"]
        return {int(fold["index"]): ExpectedPatients.of(fold["val"], fold["test"]) for fold in folds}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a fold file ({error!r}): restore it") from error


def _refuse_unfinished(
    study: StudyDirectory, variant: str, runs: dict[int, RunDirectory], n_folds: int
) -> None:
    missing = [fold for fold in range(n_folds) if fold not in runs]
    unfinished = [fold for fold, run in runs.items() if run.read_done() is None]
    if not missing and not unfinished:
        return
    parts = [
        f"fold {', '.join(map(str, folds))} {state}"
        for folds, state in ((missing, "is missing"), (unfinished, "is not finished (no done.json)"))
        if folds
    ]
    raise ValueError(
        f"{study.path / variant}: {' and '.join(parts)}; the study has {n_folds} folds. "
        f"Go on with: {_command_to_continue(study, runs)}"
    )


def _command_to_continue(study: StudyDirectory, runs: dict[int, RunDirectory]) -> str:
    """The command that began the runs, for all folds."""
    for run in runs.values():
        if run.provenance.is_file():
            words = json.loads(run.provenance.read_text())["command"][2:]
            kept = [
                word for word in words if word not in ("-m", "--multirun") and not word.startswith("fold=")
            ]
            return shlex.join(["mds-lightning", "train", "-m", *kept])
    return f"mds-lightning train -m study={study.path.name} (with the overrides it was begun with)"


def _estimate(predictions: Predictions, settings: Settings) -> pd.DataFrame:
    parts = [estimate(predictions.split("test"), HELD_OUT, settings)]
    parts += [
        estimate(comparison.predictions, comparison.patients, settings, comparison.average_folds)
        for comparison in compare_external(predictions)
    ]
    return pd.concat(parts, ignore_index=True)


def _draw(predictions: Predictions, table: pd.DataFrame, settings: Settings, folder: Path) -> list[Path]:
    """`roc.*` at patient level and `roc_images.*`; of three and more classes, one pair a class."""
    test = predictions.split("test")
    levels = {
        "patient": ("roc", aggregate_patients(test, settings.aggregation)),
        "image": ("roc_images", test),
    }
    scored = test.classes[1:] if test.is_binary else test.classes
    written: list[Path] = []
    for level, (stem, rows) in levels.items():
        for name in scored:
            title = f"{name} vs {'rest' if not test.is_binary else test.classes[0]}, {level} level"
            curves = _trace_folds(rows, name)
            if not curves:
                log.warning("%s: no fold has patients of both sides; no ROC figure", title)
                continue
            figure = draw_roc(curves, title, _pooled(table, level, name))
            file = stem if test.is_binary else f"{stem}_{name}"
            written += save_figure(figure, folder / file)
    return written


def _trace_folds(rows: Predictions, name: str) -> dict[str, RocCurve]:
    k = rows.classes.index(name)
    curves = {}
    for fold in np.unique(rows.table["fold"]):
        part = rows.of_fold(int(fold))
        positive = part.target == k
        if positive.any() and not positive.all():
            curves[f"fold {fold}"] = trace_roc(positive, part.probabilities[:, k])
        else:
            log.warning("fold %d has no ROC curve for %s: its test rows are of one side only", fold, name)
    return curves


def _pooled(table: pd.DataFrame, level: str, name: str) -> str:
    line = table[
        (table["patients"] == HELD_OUT)
        & (table["level"] == level)
        & (table["metric"] == "roc_auc")
        & (table["of"] == name)
    ].iloc[0]
    return f"pooled: AUC {format_estimate(line['value'], line['low'], line['high'])}"
