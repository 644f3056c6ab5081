"""The pooled rows of a finished study, variant by variant; what is unfinished or does not fit is refused."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.folds import Folds, read_folds
from mds_lightning.statistics.pooled_predictions import ExpectedPatients, pool_folds
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import read_provenance

log = logging.getLogger(__name__)

#: Label of the pooled test rows, from which all internal estimates are computed.
HELD_OUT = "held-out patients, folds pooled"


class UntestedError(ValueError):
    """A search's model was not asked about its test patients yet."""


def read_study(study: StudyDirectory) -> dict[str, Predictions]:
    """Variant to its pooled rows, for every variant of a finished study that was tested.

    Args:
        study: Its directory; `folds.json` says which patients each fold must hold.

    Raises:
        ValueError: There is no such study; its fold file was edited; a fold is unfinished, missing, doubled
            or of another split; a row's probabilities are no probabilities.
        UntestedError: It is a search, and not every trial was tested.
    """
    pooled = read_runs(study)
    untested = [variant for variant, rows in pooled.items() if rows.untested_folds]
    if untested:
        raise UntestedError(
            f"{study.path} is a search: {len(untested)} of {len(pooled)} trials were not asked about their "
            f"test patients ({name_some(untested)}). To report the trials that validation chooses:\n"
            f"  {command_to_test(study)}\n"
            f"  mds-lightning evaluate study={shlex.quote(str(study.path))} selection=inner_validation\n"
            f"To report every trial by itself:\n"
            f"  {command_to_test(study, every=True)}"
        )
    return pooled


def command_to_test(study: StudyDirectory, every: bool = False) -> str:
    """What to type so that a search's chosen runs, or all of them, are tested."""
    words = ["mds-lightning", "test", f"study={study.path}", *(["trials=all"] if every else [])]
    return shlex.join(words)


def name_some(names: Sequence[str], most: int = 5) -> str:
    """The first few of many names."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def read_runs(study: StudyDirectory) -> dict[str, Predictions]:
    """As `read_study`; of a search's trials perhaps the validation rows alone (see `untested_folds`)."""
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
        files = {fold: run.predictions for fold, run in runs.items()}
        lost = {fold: _find_lost_patients(run) for fold, run in runs.items()}
        if everybody := sorted(frozenset().union(*lost.values())):
            log.warning(
                "%s: %d patients are not in the study, as none of their images could be decoded: %s",
                *(study.path / variant, len(everybody), name_some(everybody)),
            )
        there = {fold: patients.without(lost.get(fold, ())) for fold, patients in expected.items()}
        pooled[variant] = pool_folds(files, there, allow_untested=is_trial(variant))
    return pooled


def _find_lost_patients(run: RunDirectory) -> frozenset[str]:
    """Patients none of whose images could be decoded (with `data.on_error=skip`)."""
    if not run.skipped.is_file():
        return frozenset()
    table = pd.read_csv(run.skipped, dtype=str, keep_default_na=False)
    # Lists of earlier versions have no such column.
    return frozenset(table["lost_patient"]) - {""} if "lost_patient" in table else frozenset()


def is_trial(variant: str) -> bool:
    """Whether a variant is the trial of a search, and not a cell of a grid."""
    return variant.startswith("trial-")


def _evaluable_variants(study: StudyDirectory, n_folds: int) -> list[str]:
    """All variants; of a search's trials the complete ones, since it gives others up on purpose.

    A trial with every fold done is one that Optuna calls COMPLETE: nothing is pruned after the last fold, and
    a trial whose worker died then is taken up again in the same directory.
    """
    variants = study.variants()
    given_up = [
        variant
        for variant in variants
        if is_trial(variant) and not _is_finished(study.runs(variant), n_folds)
    ]
    if len(given_up) == len(variants):
        raise ValueError(f"no trial of {study.path} has finished every fold: go on with the search first")
    if given_up:
        log.warning(
            "left out %d of %d trials that have not finished every fold (pruned, failed or running): %s",
            *(len(given_up), len(variants), name_some(given_up)),
        )
    return [variant for variant in variants if variant not in given_up]


def _is_finished(runs: Mapping[int, RunDirectory], n_folds: int) -> bool:
    return all(fold in runs and runs[fold].read_done() is not None for fold in range(n_folds))


def _refuse_another_split(runs: Mapping[int, RunDirectory], folds: Folds, path: Path) -> None:
    """A run remembers the hash of the split that it was trained on."""
    for run in runs.values():
        record = read_provenance(run.provenance)
        trained = record.get("folds_hash")
        if record and trained != folds.hash:
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
        if record := read_provenance(run.provenance):
            words = record["command"][2:]
            kept = [word for word in words if word not in ("-m", "--multirun")]
            kept = [word for word in kept if not word.startswith("fold=")]
            return shlex.join(["mds-lightning", "train", "-m", *kept])
    return f"mds-lightning train -m study={study.path.name} (with the overrides it was begun with)"
