"""Logging to Weights & Biases: one run per fold, grouped by study.

W&B itself is imported by the logger, so that training without it does not need the package.
"""

import os
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch.loggers import WandbLogger

from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.settings import decisive_settings, nest_settings, read_settings


def fold_logger(
    run_directory: str | Path,
    study: str,
    name: str,
    project: str = "mds_lightning",
    mode: Literal["offline", "online"] = "offline",
    job_type: str | None = None,
    tags: Sequence[str] = (),
) -> WandbLogger:
    """Return the logger of the run of one fold.

    The id of the run is stored in the run directory, so that a fold that is resumed continues its run.
    No host is contacted unless `mode` is `online`; images and checkpoints are never uploaded. The config of
    the run contains `variant`, `fold` and, as `settings`, the settings that change the result (not paths or
    the cohort).

    Args:
        run_directory: Directory of the fold; the files of W&B are in its `wandb/`.
        study: Group of the run.
        name: Name of the run, such as `resnet18/fold-0`.
        project: W&B project.
        mode: `offline` writes files that `wandb sync` uploads later; `online` uploads at once.
        job_type: Second level of grouping; None: `trial` in a search, else `fold`.
        tags: Labels for filters.
    """
    if mode == "offline":
        # W&B (0.31) sends telemetry on its own use in every mode; its service reads this when it starts.
        os.environ["WANDB_ERROR_REPORTING"] = "false"
    # Absolute: a W&B service that was started by another process (WANDB_SERVICE) has another working folder.
    directory = Path(run_directory).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    kept = directory / "wandb_id.txt"
    if not kept.is_file():
        kept.write_text(uuid.uuid4().hex[:12])
    stored = RunDirectory(directory).config
    settings = read_settings(stored) if stored.is_file() else {}
    searched = (settings.get("hpo") or {}).get("trial") is not None
    return WandbLogger(
        name=name,
        save_dir=directory,
        id=kept.read_text().strip(),
        project=project,
        group=study,
        job_type=job_type or ("trial" if searched else "fold"),
        tags=list(tags),
        config=_run_config(settings),
        mode=mode,
        resume="allow" if mode == "online" else None,
        log_model=False,
    )


def _run_config(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a run in W&B, by which runs are grouped and compared."""
    if not settings:
        return {}
    told = {key: settings[key] for key in ("variant", "fold")}
    return told | {"settings": nest_settings(decisive_settings(settings))}


@contextmanager
def closing_run() -> Iterator[None]:
    """Finish the W&B run of the job, if there is one; with exit code 1 if the job raised an exception.

    All jobs of a local sweep share one process, in which W&B would log the second job to the run of the
    first.
    """
    try:
        yield
    except BaseException:
        _finish(exit_code=1)
        raise
    _finish(exit_code=0)


def _finish(exit_code: int) -> None:
    # Not imported here: a job without logger=wandb does not need W&B.
    module = sys.modules.get("wandb")
    if module is not None and module.run is not None:
        module.finish(exit_code=exit_code)
