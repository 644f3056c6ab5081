"""Refuses runs of one seed (`fold-<k>`) and of several seeds (`seed-<s>/fold-<k>`) in one variant."""

import shlex
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from mds_lightning.studies.layout import FOLD, SEED, RunDirectory
from mds_lightning.studies.settings import read_settings


def refuse_seeds_of_one_run(seeds: int, seed_folder: str) -> None:
    """Raise if several seeds are asked for outside of a sweep.

    Args:
        seeds: The key `seeds`.
        seed_folder: The key `seed_folder`, which a sweep of several seeds sets.

    Raises:
        ValueError: Outside of a sweep, with more than one seed.
    """
    if seeds != 1 and not seed_folder:
        raise ValueError(
            f"seeds={seeds} without -m: one run has one seed. Add -m to train every fold with each seed, or "
            "leave seeds out and give seed=NUMBER"
        )


def refuse_other_layout(run: RunDirectory) -> None:
    """Raise if the variant of a run has runs in the other layout, before the run writes anything.

    Args:
        run: The run. Its directory may exist, empty: Hydra makes it before a job starts. It is removed then.

    Raises:
        ValueError: The variant was trained with one seed and the run is one of several seeds, or the reverse.
            The message says how to go on.
    """
    message = _explain_one_seed(run) if run.seed is None else _explain_several_seeds(run)
    if message:
        _remove_empty(run)
        raise ValueError(message)


def _explain_one_seed(run: RunDirectory) -> str:
    """Why a run of one seed is refused; empty if it is not."""
    seeds = sorted({path.parent.name for path in _begun(run.variant, f"{SEED}*/{FOLD}*")})
    if not seeds:
        return ""
    return (
        f"{run.variant} was trained with several seeds ({', '.join(seeds)}): give seeds=NUMBER as well "
        f"(seeds={len(seeds)} continues them, a larger number adds seeds), or give the study another name "
        "(study=NAME)"
    )


def _explain_several_seeds(run: RunDirectory) -> str:
    """Why a run of several seeds is refused; empty if it is not."""
    folds = [RunDirectory(path) for path in _begun(run.variant, f"{FOLD}*")]
    if not folds:
        return ""
    unfinished = [one.path.name for one in folds if one.read_done() is None]
    if unfinished:
        return (
            f"{run.variant} was trained with one seed, and {', '.join(unfinished)} is not finished: finish "
            "it with the same command without seeds=, or delete it, or give the study another name "
            "(study=NAME)"
        )
    return (
        f"{run.variant} was trained with one seed; the runs of several seeds are kept in folders of their "
        "own. To use its folds as those of their seed, move them, and give the same command again:\n"
        f"{_commands_to_move(run.variant, folds)}\n"
        "Otherwise give the study another name (study=NAME)."
    )


def _begun(variant: Path, pattern: str) -> list[Path]:
    """Directories of runs that were begun."""
    return sorted(path for path in variant.glob(pattern) if RunDirectory(path).config.is_file())


def _remove_empty(run: RunDirectory) -> None:
    with suppress(OSError):
        run.path.rmdir()
        if run.seed is not None:
            run.path.parent.rmdir()


def _commands_to_move(variant: Path, folds: list[RunDirectory]) -> str:
    by_seed: dict[int, list[str]] = defaultdict(list)
    for run in folds:
        by_seed[int(read_settings(run.config)["seed"])].append(str(run.path))
    lines = []
    for seed, paths in sorted(by_seed.items()):
        folder = str(variant / f"{SEED}{seed}")
        lines += [shlex.join(["mkdir", "-p", folder]), shlex.join(["mv", *paths, folder])]
    return "\n".join(f"  {line}" for line in lines)
