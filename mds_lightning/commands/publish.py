"""`mds-lightning study publish`: a study's W&B dashboard, written beside the study and put on the server."""

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import DictConfig

from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.tracking.tracked import TrackedStudy, read_tracked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publication:
    """A published dashboard.

    Attributes:
        file: The dashboard as JSON.
        url: Its address in W&B.
    """

    file: Path
    url: str


def publish(config: DictConfig) -> Publication:
    """Write the dashboard of the study in `config.study`, then publish it.

    Args:
        config: `conf/study.yaml`: its `study`, `entity`, `project` and `timeout`.

    Returns:
        Where the dashboard is. The file is there also when W&B is not reachable.

    Raises:
        ValueError: The study has no run logged to W&B, or W&B does not take its dashboard.
    """
    if not (config.timeout > 0 and math.isfinite(config.timeout)):
        raise ValueError(f"timeout={config.timeout}: give a number of seconds above 0")
    directory = StudyDirectory(Path(config.study))
    tracked = read_tracked(directory)
    if config.project is not None:
        tracked = replace(tracked, project=config.project)
    try:
        return _publish(directory, tracked, config)
    except ModuleNotFoundError as error:
        raise ValueError(f"the package {error.name} is missing: pip install wandb-workspaces") from None


def _publish(directory: StudyDirectory, tracked: TrackedStudy, config: DictConfig) -> Publication:
    # Looked up only here: W&B's packages take a second or two to import.
    from mds_lightning.tracking.wandb_dashboard import build_dashboard, write_dashboard
    from mds_lightning.tracking.wandb_publication import publish_dashboard
    from mds_lightning.tracking.wandb_server import PublicationError, find_server

    dashboard = build_dashboard(tracked)
    write_dashboard(dashboard, directory.dashboard)
    try:
        url = publish_dashboard(dashboard, find_server(), config.entity, config.timeout)
    except PublicationError as error:
        raise PublicationError(
            f"the dashboard is not published: {error}. It is kept in {directory.dashboard}; send runs that "
            f"were logged offline with `wandb sync {directory.path}/*/fold-*/wandb/offline-run-*`, then give "
            "the same command again."
        ) from None
    log.info("%s is published: %s", directory.dashboard, url)
    return Publication(directory.dashboard, url)
