"""The command that continues unfinished runs, as it is typed now."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.provenance import read_provenance
from mds_lightning.studies.settings import read_settings

_MULTIRUN = ("-m", "--multirun")


def command_to_continue(study: StudyDirectory, runs: Mapping[int, RunDirectory]) -> str:
    """The command that started the runs, for all folds and for the study where it is now.

    The study may have been renamed, moved or copied since: `study=` and `paths.runs=` are then those of its
    present folder. If the command was started in another folder, which still exists, it starts with `cd`.

    Args:
        study: The study.
        runs: Some of its runs.
    """
    for run in runs.values():
        if record := read_provenance(run.provenance):
            return _update(study, run, record)
    name = shlex.quote(f"study={study.path.resolve().name}")
    return f"mds-lightning train -m {name} (with the overrides that it was started with)"


def _update(study: StudyDirectory, run: RunDirectory, record: Mapping[str, Any]) -> str:
    words = [word for word in record["command"][2:] if word not in _MULTIRUN]
    words = _without(words, "fold")
    settings = read_settings(run.config) if run.config.is_file() else {}
    started = Path(record.get("folder", Path.cwd()))
    here = study.path.resolve()
    runs, name = _parts(settings, words)
    if here != (started / runs / name).resolve():
        base = (started if started.is_dir() else Path.cwd()).resolve()
        parent = here.parent.relative_to(base) if here.parent.is_relative_to(base) else here.parent
        words = _without(_without(words, "study"), "paths.runs")
        words += [f"study={here.name}", *([] if str(parent) == "runs" else [f"paths.runs={parent}"])]
    command = shlex.join(["mds-lightning", "train", "-m", *words])
    moved = started.is_dir() and started.resolve() != Path.cwd().resolve()
    return f"cd {shlex.quote(str(started))} && {command}" if moved else command


def _parts(settings: Mapping[str, Any], words: Sequence[str]) -> tuple[str, str]:
    """`paths.runs` and `study` of a run, from its settings or, without them, from its command."""
    given = dict(word.split("=", 1) for word in words if "=" in word)
    runs = settings.get("paths", {}).get("runs", given.get("paths.runs", "runs"))
    return str(runs), str(settings.get("study", given.get("study", "")))


def _without(words: Sequence[str], key: str) -> list[str]:
    return [word for word in words if not word.startswith(f"{key}=")]
