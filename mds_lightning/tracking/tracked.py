"""The runs of a study in W&B, as its run directories describe them (without importing W&B)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.setting_defaults import default_settings
from mds_lightning.studies.settings import decisive_settings, read_settings

log = logging.getLogger(__name__)

#: Name of the AUROC on validation images with the best checkpoint, logged once at the end of a run.
BEST = "best/val_auroc"

_LOGGER = "mds_lightning.tracking.wandb.fold_logger"

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class TrackedStudy:
    """A study whose runs were logged to W&B.

    Attributes:
        name: Group of its runs in W&B.
        project: W&B project of the runs.
        compared: Settings (dotted keys) that differ between variants, each with its distinct values.
    """

    name: str
    project: str
    compared: Mapping[str, tuple[Scalar, ...]]


def read_tracked(directory: StudyDirectory) -> TrackedStudy:
    """Read the settings of one fold of each variant.

    Raises:
        ValueError: No run was logged to W&B, or runs were logged under several names or to several projects.
    """
    if not directory.path.is_dir():
        raise ValueError(f"{directory.path} is not a directory: check study=")
    settings = [stored for variant in directory.variants() for stored in _read_variant(directory, variant)]
    nodes = [node for stored in settings for node in (stored.get("logger") or {}).values()]
    logged = [node for node in nodes if node.get("_target_") == _LOGGER]
    if not logged:
        raise ValueError(
            f"no run below {directory.path} was logged to W&B: train with logger=wandb (offline, unless "
            "logger.wandb.mode=online)"
        )
    return TrackedStudy(
        name=_only(directory, "study", logged),
        project=_only(directory, "logger.wandb.project", logged),
        compared=_compare(settings),
    )


def _read_variant(directory: StudyDirectory, variant: str) -> Iterator[dict[str, Any]]:
    for run in directory.runs(variant).values():
        if run.config.is_file():
            yield read_settings(run.config)
            return


def _only(directory: StudyDirectory, key: str, nodes: Sequence[Mapping[str, Any]]) -> str:
    found = sorted({str(node[key.rpartition(".")[2]]) for node in nodes})
    if len(found) > 1:
        raise ValueError(
            f"the runs below {directory.path} were logged with {key} {' and '.join(found)}: a dashboard "
            "shows one study of one project"
        )
    return found[0]


def _compare(settings: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Scalar, ...]]:
    defaults = decisive_settings(default_settings())
    flat = [defaults | decisive_settings({**stored, "fold": None}) for stored in settings]
    compared: dict[str, tuple[Scalar, ...]] = {}
    for key in sorted({key for stored in flat for key in stored}):
        values = [stored.get(key) for stored in flat]
        if all(value == values[0] for value in values):
            continue
        if all(isinstance(value, Scalar) for value in values):
            compared[key] = tuple(dict.fromkeys(values))
        else:
            log.warning(
                "%s differs between variants, but has list values: the dashboard does not show it", key
            )
    return compared
