"""Weights & Biases: one run a fold, grouped by study. The only file that imports wandb."""

import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import wandb
from lightning.pytorch.loggers import WandbLogger

from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.settings import decisive_settings, nest_settings, read_settings

log = logging.getLogger(__name__)


def fold_logger(
    run_directory: str | Path,
    study: str,
    name: str,
    project: str = "mds_lightning",
    mode: Literal["offline", "online"] = "offline",
    job_type: str | None = None,
    tags: Sequence[str] = (),
) -> WandbLogger:
    """Return the logger of one fold's run.

    The run's id is kept in the run directory, so that a fold that is continued continues its run. Nothing
    leaves the machine unless `mode` is `online`; images and checkpoints are never uploaded. The run's config
    holds `variant`, `fold` and, as `settings`, what decides the result (not paths, nor the cohort).

    Args:
        run_directory: The fold's directory; W&B's files lie under its `wandb/`.
        study: Group of the run: all folds of a study stand together.
        name: Name of the run, such as `resnet18/fold-0`.
        project: W&B project.
        mode: `offline` writes files that `wandb sync` can send later; `online` sends at once.
        job_type: Second level of grouping; None: `trial` in a search, else `fold`.
        tags: Labels to filter by.
    """
    # Absolute: a W&B service that another process started (WANDB_SERVICE) writes from its own folder.
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
    """What runs are grouped and compared by (the study is their group)."""
    if not settings:
        return {}
    told = {key: settings[key] for key in ("variant", "fold")}
    return told | {"settings": nest_settings(decisive_settings(settings))}


@contextmanager
def closing_run() -> Iterator[None]:
    """Finish the W&B run of the job on leaving, with exit code 1 if the job raised.

    All jobs of a local sweep share one process, and W&B would log the second into the run of the first.
    """
    try:
        yield
    except BaseException:
        if wandb.run is not None:
            wandb.finish(exit_code=1)
        raise
    if wandb.run is not None:
        wandb.finish()
