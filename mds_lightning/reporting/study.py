"""The pooled rows of a finished study, variant by variant; what is unfinished or does not fit is refused."""

import json
import logging
import shlex
from collections.abc import Mapping
from pathlib import Path

from mds_lightning.cohort.folds import Folds, read_folds
from mds_lightning.statistics.pooling import ExpectedPatients, pool_folds
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.tracking.run_directory import RunDirectory, StudyDirectory

log = logging.getLogger(__name__)


def read_study(study: StudyDirectory) -> dict[str, Predictions]:
    """Variant to its pooled rows, for every variant of a finished study.

    Args:
        study: Its directory; `folds.json` says which patients each fold must hold.

    Raises:
        ValueError: There is no such study; its fold file was edited; a fold is unfinished, missing, doubled
            or of another split; a row's probabilities are no probabilities.
    """
    if not study.path.is_dir():
        raise ValueError(f"{study.path} is no directory: give study=DIR, such as study=runs/demo")
    if not study.folds.is_file() or not study.variants():
        raise ValueError(f"{study.path} holds no trained study: train it first, or give another study=DIR")
    folds = read_folds(study.folds)
    expected = {fold.index: ExpectedPatients.of(fold.val, fold.test) for fold in folds}
    pooled = {}
    for variant in _evaluable_variants(study, len(expected)):
        runs = study.runs(variant)
        _refuse_unfinished(study, variant, runs, len(expected))
        _refuse_another_split(runs, folds, study.folds)
        pooled[variant] = pool_folds({fold: run.predictions for fold, run in runs.items()}, expected)
    return pooled


def _evaluable_variants(study: StudyDirectory, n_folds: int) -> list[str]:
    """All variants; of a search's trials those with every fold, since it gives others up on purpose."""
    variants = study.variants()
    given_up = [
        variant
        for variant in variants
        if variant.startswith("trial-") and not _is_finished(study.runs(variant), n_folds)
    ]
    if len(given_up) == len(variants):
        raise ValueError(f"no trial of {study.path} has finished every fold: go on with the search first")
    if given_up:
        log.warning(
            "left out %d of %d trials that have not finished every fold (pruned, failed or running): %s",
            *(len(given_up), len(variants), ", ".join(given_up)),
        )
    return [variant for variant in variants if variant not in given_up]


def _is_finished(runs: Mapping[int, RunDirectory], n_folds: int) -> bool:
    return all(fold in runs and runs[fold].read_done() is not None for fold in range(n_folds))


def _refuse_another_split(runs: Mapping[int, RunDirectory], folds: Folds, path: Path) -> None:
    """A run remembers the hash of the split that it was trained on."""
    for run in runs.values():
        if not run.provenance.is_file():
            continue
        trained = json.loads(run.provenance.read_text(encoding="utf-8")).get("folds_hash")
        if trained != folds.hash:
            raise ValueError(
                f"{run.provenance}: trained on the split {trained}, but {path} is {folds.hash}: the file "
                "was replaced, or the run is of another study: restore the one or the other"
            )


def _refuse_unfinished(
    study: StudyDirectory, variant: str, runs: Mapping[int, RunDirectory], n_folds: int
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
        f"Go on with: {command_to_continue(study, runs)}"
    )


def command_to_continue(study: StudyDirectory, runs: Mapping[int, RunDirectory]) -> str:
    """The command that began the runs, for all folds."""
    for run in runs.values():
        if run.provenance.is_file():
            words = json.loads(run.provenance.read_text())["command"][2:]
            kept = [word for word in words if word not in ("-m", "--multirun")]
            kept = [word for word in kept if not word.startswith("fold=")]
            return shlex.join(["mds-lightning", "train", "-m", *kept])
    return f"mds-lightning train -m study={study.path.name} (with the overrides it was begun with)"
