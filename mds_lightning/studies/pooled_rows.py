"""Pooled rows of the folds of each variant; unfinished or inconsistent studies are refused."""

import logging
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mds_lightning.cohort.folds import Folds, read_folds
from mds_lightning.cohort.formula_cells import restore_formula
from mds_lightning.statistics.ensemble import average_seeds
from mds_lightning.statistics.pooled_predictions import ExpectedPatients, pool_folds
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.continuation import command_to_continue
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import read_provenance
from mds_lightning.studies.recorded_files import verify_file
from mds_lightning.studies.run_table import read_run_table
from mds_lightning.studies.settings import read_settings
from mds_lightning.studies.trial_names import find_outer_fold, is_trial, list_trained_folds

log = logging.getLogger(__name__)

#: Label of the pooled test rows, from which all internal estimates are computed.
HELD_OUT = "held-out patients, folds pooled"


class UntestedError(ValueError):
    """A model of a search was not tested yet."""


def refuse_untested(study: StudyDirectory, pooled: Mapping[str, Predictions]) -> None:
    """Raise unless every trial of a search was tested.

    Raises:
        ValueError: It is a nested search, whose trials train one fold each.
        UntestedError: The message says how to test them.
    """
    if nested := [variant for variant in pooled if find_outer_fold(variant) is not None]:
        raise ValueError(
            f"{study.path} is a nested search: each of its {len(nested)} trials trains one fold, so that no "
            "trial has results of all patients. To report the trials that are selected in each fold:\n"
            f"  {command_to_test(study)}\n"
            f"  mds-lightning evaluate study={shlex.quote(str(study.path))} selection=inner_validation"
        )
    untested = [variant for variant, rows in pooled.items() if rows.untested_folds]
    if untested:
        raise UntestedError(
            f"{study.path} is a search: {len(untested)} of {len(pooled)} trials were not tested "
            f"({name_some(untested)}). To report the trials that are selected on validation patients:\n"
            f"  {command_to_test(study)}\n"
            f"  mds-lightning evaluate study={shlex.quote(str(study.path))} selection=inner_validation\n"
            f"To report every trial separately:\n"
            f"  {command_to_test(study, every=True)}"
        )


def command_to_test(study: StudyDirectory, every: bool = False) -> str:
    """The command that tests the selected runs of a search, or every run."""
    words = ["mds-lightning", "test", f"study={study.path}", *(["trials=all"] if every else [])]
    return shlex.join(words)


def name_some(names: Sequence[str], most: int = 5) -> str:
    """The first names of a long list, and the number of the others."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def read_runs(study: StudyDirectory) -> dict[str, Predictions]:
    """Read the pooled rows of every variant of a finished study; of several seeds, those of their ensemble.

    Args:
        study: The study; its `folds.json` lists the patients that each fold must contain.

    Returns:
        Variant to its pooled rows. Trials of a search may have validation rows alone (see `untested_folds`).

    Raises:
        ValueError: There is no such study; its fold file was edited; a fold is unfinished, missing, repeated
            or from another split; probabilities of a row are outside of 0..1 or do not sum to 1.
    """
    return average_variants(read_seeds(study))


def average_variants(by_seed: Mapping[str, Mapping[int | None, Predictions]]) -> dict[str, Predictions]:
    """Variant to its pooled rows; of several seeds, those of their ensemble."""
    return {variant: average_seeds(rows) for variant, rows in by_seed.items()}


def read_seeds(study: StudyDirectory) -> dict[str, dict[int | None, Predictions]]:
    """Read the pooled rows of every seed of every variant.

    Returns:
        Variant to seed to pooled rows; the seed of a variant that is trained with one seed is None.

    Raises:
        ValueError: See `read_runs`.
    """
    if not study.path.is_dir():
        raise ValueError(f"{study.path} is not a directory: give study=DIR, such as study=runs/demo")
    if not study.folds.is_file() or not study.variants():
        raise ValueError(f"{study.path} contains no trained study: train it first, or give another study=DIR")
    folds = read_folds(study.folds)
    expected = {fold.index: ExpectedPatients.of(fold.val, fold.test) for fold in folds}
    pooled: dict[str, dict[int | None, Predictions]] = {}
    for variant in _evaluable_variants(study, len(expected)):
        seeds = study.seeds(variant)
        several: list[int | None] = [*seeds] or [None]
        pooled[variant] = {seed: _read_folds(study, variant, seed, folds, expected) for seed in several}
        _warn_of_missing_seeds(study, variant, seeds)
    return pooled


def _read_folds(
    study: StudyDirectory,
    variant: str,
    seed: int | None,
    folds: Folds,
    expected: Mapping[int, ExpectedPatients],
) -> Predictions:
    """Pool the folds of one seed of a variant."""
    runs = study.runs(variant, seed)
    trained = list_trained_folds(variant, len(expected))
    _refuse_unfinished(study, study.run(variant, 0, seed).path.parent, runs, trained)
    _refuse_another_split(runs, folds, study.folds)
    for run in runs.values():
        verify_file(run, run.predictions)
    files = {fold: run.predictions for fold, run in runs.items()}
    lost = {fold: _find_lost_patients(run) for fold, run in runs.items()}
    if all_lost := sorted(frozenset().union(*lost.values())):
        log.warning(
            "%s: %d patients are not in the study because none of their images could be decoded: %s",
            *(study.path / variant, len(all_lost), name_some(all_lost)),
        )
    present = {fold: expected[fold].without(lost.get(fold, ())) for fold in trained}
    return pool_folds(files, present, allow_untested=is_trial(variant))


def _warn_of_missing_seeds(study: StudyDirectory, variant: str, seeds: Sequence[int]) -> None:
    """Warn if fewer seeds were started than a run was told (`seeds`)."""
    runs = {seed: next(iter(study.runs(variant, seed).values())) for seed in seeds}
    wanted = {
        seed: int(read_settings(run.config).get("seeds", 1)) if run.config.is_file() else 1
        for seed, run in runs.items()
    }
    most = max(wanted.values(), default=0)
    if most > len(seeds):
        last = next(run for seed, run in runs.items() if wanted[seed] == most)
        log.warning(
            "%s: %d of %d seeds were trained; continue with: %s",
            *(study.path / variant, len(seeds), most, command_to_continue(study, {0: last})),
        )


def _find_lost_patients(run: RunDirectory) -> frozenset[str]:
    """Patients none of whose images could be decoded (with `data.on_error=skip`)."""
    if not run.skipped.is_file():
        return frozenset()
    table = read_run_table(run, run.skipped, ["image"])
    # Earlier versions did not write this column.
    lost: Iterable[str] = table.get("lost_patient", [])
    return frozenset(map(restore_formula, lost)) - {""}


def _evaluable_variants(study: StudyDirectory, n_folds: int) -> list[str]:
    """All variants of a grid; the complete trials of a search, which prunes the others on purpose.

    A trial with every fold finished is COMPLETE in Optuna: no trial is pruned after its last fold, and a
    trial whose worker was killed then is continued in the same directory.
    """
    variants = study.variants()
    incomplete = [
        variant
        for variant in variants
        if is_trial(variant) and not _is_finished(study.runs(variant), list_trained_folds(variant, n_folds))
    ]
    if len(incomplete) == len(variants):
        raise ValueError(f"no trial of {study.path} has finished every fold: continue the search first")
    if incomplete:
        log.warning(
            "left out %d of %d trials that have not finished every fold (pruned, failed or running): %s",
            *(len(incomplete), len(variants), name_some(incomplete)),
        )
    return [variant for variant in variants if variant not in incomplete]


def _is_finished(runs: Mapping[int, RunDirectory], folds: Sequence[int]) -> bool:
    return all(fold in runs and runs[fold].read_done() is not None for fold in folds)


def _refuse_another_split(runs: Mapping[int, RunDirectory], folds: Folds, path: Path) -> None:
    """Compare the recorded hash of the split on which each run was trained."""
    for run in runs.values():
        record = read_provenance(run.provenance)
        trained = record.get("folds_hash")
        if record and trained != folds.hash:
            raise ValueError(
                f"{run.provenance}: trained on the split {trained}, but {path} is {folds.hash}: the file "
                "was replaced, or the run belongs to another study: restore the file or move the run"
            )


def _refuse_unfinished(
    study: StudyDirectory, folder: Path, runs: Mapping[int, RunDirectory], folds: Sequence[int]
) -> None:
    missing = [fold for fold in folds if fold not in runs]
    unfinished = [fold for fold, run in runs.items() if run.read_done() is None]
    if not missing and not unfinished:
        return
    problems = [
        f"fold {', '.join(map(str, folds))} {state}"
        for folds, state in ((missing, "is missing"), (unfinished, "is not finished (no done.json)"))
        if folds
    ]
    raise ValueError(
        f"{folder}: {' and '.join(problems)}; the study has {len(folds)} folds. "
        f"Continue with: {command_to_continue(study, runs)}"
    )
