"""The recalibration of a fold's model, stored in its run directory."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict, get_args

import numpy as np

from mds_lightning.cohort.damaged_file import DamagedFileError, reading
from mds_lightning.cohort.json_record import read_json_record
from mds_lightning.statistics.aggregate import Aggregation
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibrated_levels import LevelRecalibrations, learn_level_recalibrations
from mds_lightning.statistics.recalibration import Recalibration
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.recorded_files import verify_file
from mds_lightning.studies.recording import replace_recorded

#: Stored and learned values may differ by this much, since machines round differently.
_TOLERANCE = 1e-3


class StoredLevel(TypedDict):
    """See `statistics.recalibration.Recalibration`."""

    slope: float
    offsets: list[float]


class RecalibrationRecord(TypedDict):
    """The keys of `recalibration.json`."""

    classes: list[str]
    image: StoredLevel
    patient: dict[str, StoredLevel]


def write_recalibration(run: RunDirectory, predictions: Predictions) -> None:
    """Learn the recalibration of one fold from its validation rows, and write `recalibration.json`.

    The file holds the classes; for the levels `image` and `patient`, the latter for each way to aggregate a
    patient's images, the slope and the offsets of the classes.

    Args:
        run: Directory of the fold.
        predictions: Its rows of images.
    """
    learned = {how: learn_level_recalibrations(predictions, how) for how in get_args(Aggregation)}
    (fold,) = learned["mean"]["image"]
    record = {
        "classes": predictions.classes,
        "image": asdict(learned["mean"]["image"][fold]),
        "patient": {how: asdict(levels["patient"][fold]) for how, levels in learned.items()},
    }
    with replace_recorded(run, run.recalibration) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")


def read_study_recalibrations(
    study: StudyDirectory, variants: Mapping[int, str], predictions: Predictions, aggregation: Aggregation
) -> LevelRecalibrations:
    """The recalibrations of a variant, or of the variant selected in each fold.

    The ensemble of several seeds has no stored recalibration: it is learned from its validation rows.

    Args:
        study: The study.
        variants: Fold to variant.
        predictions: Pooled rows of images of these folds; of several seeds, their ensemble.
        aggregation: How the probabilities of a patient's images are combined.

    Raises:
        ValueError: See `read_recalibrations`.
    """
    runs = {fold: study.run(variant, fold) for fold, variant in variants.items() if not study.seeds(variant)}
    return read_recalibrations(runs, predictions, aggregation)


def read_recalibrations(
    runs: Mapping[int, RunDirectory], predictions: Predictions, aggregation: Aggregation
) -> LevelRecalibrations:
    """The recalibrations of all folds of a variant, as stored; learned where a fold has no file.

    Args:
        runs: Fold to its directory.
        predictions: Pooled rows of images of these folds.
        aggregation: How the probabilities of a patient's images are combined.

    Raises:
        ValueError: A file is damaged, or is not the recalibration that the fold's validation rows give.
    """
    files = {fold: run.recalibration for fold, run in runs.items() if run.recalibration.is_file()}
    stored = {fold: _read(file, predictions.classes, aggregation) for fold, file in files.items()}
    learned = learn_level_recalibrations(predictions, aggregation)
    found: dict[Level, dict[int, Recalibration]] = {level: dict(folds) for level, folds in learned.items()}
    for fold, levels in stored.items():
        for level, one in levels.items():
            _refuse_another(one, learned[level][fold], level, runs[fold])
            found[level][fold] = one
    return found


def _read(path: Path, classes: tuple[str, ...], aggregation: Aggregation) -> dict[Level, Recalibration]:
    verify_file(RunDirectory(path.parent), path)
    remedy = "delete it, and it is computed from the validation rows"
    record = read_json_record(path, RecalibrationRecord, remedy)
    if aggregation not in record["patient"]:
        raise DamagedFileError(f"{path} is damaged (the key patient.{aggregation} is missing)", remedy)
    levels: dict[Level, Any] = {"image": record["image"], "patient": record["patient"][aggregation]}
    with reading(path, remedy):
        read: dict[Level, Recalibration] = {
            level: Recalibration(float(one["slope"]), tuple(map(float, one["offsets"])))
            for level, one in levels.items()
        }
    named = tuple(record["classes"])
    if named != classes or any(len(one.offsets) != len(classes) for one in read.values()):
        raise ValueError(
            f"{path} is of the classes {list(named)}, but the predictions are of {list(classes)}: "
            "restore the file or the predictions, or delete the file"
        )
    return read


def _refuse_another(stored: Recalibration, learned: Recalibration, level: Level, run: RunDirectory) -> None:
    there, now = ([np.log(one.slope), *one.offsets] for one in (stored, learned))
    if np.allclose(there, now, rtol=_TOLERANCE, atol=_TOLERANCE):
        return
    raise ValueError(
        f"{run.recalibration} does not fit the validation rows of {run.predictions.name}: at {level} "
        f"level it has slope {stored.slope:.4g} and offsets {_write(stored)}, the rows give "
        f"{learned.slope:.4g} and {_write(learned)}. One of the two files was replaced: restore it, or "
        f"delete {run.recalibration.name} to have it computed from the rows"
    )


def _write(recalibration: Recalibration) -> list[float]:
    return [round(offset, 4) for offset in recalibration.offsets]
