"""`mds-lightning study publish`: publishes the W&B dashboard of a study."""

import logging
import math
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig

from mds_lightning.studies.layout import FOLD, SEED, StudyDirectory
from mds_lightning.tracking.tracked import read_tracked

log = logging.getLogger(__name__)


def publish(config: DictConfig) -> str:
    """Publish the dashboard of the study in `config.study`, and return its address.

    Args:
        config: `conf/study.yaml`: its `study`, `entity`, `project` and `timeout`.

    Raises:
        ValueError: No run of the study was logged to W&B, or its dashboard could not be published.
    """
    # Not at the top of the file: importing W&B takes seconds.
    from mds_lightning.tracking.wandb_dashboard import PublicationError, publish_dashboard

    if not (config.timeout > 0 and math.isfinite(config.timeout)):
        raise ValueError(f"timeout={config.timeout}: give a number of seconds above 0")
    directory = StudyDirectory(Path(config.study))
    tracked = read_tracked(directory)
    if config.project is not None:
        tracked = replace(tracked, project=config.project)
    try:
        url = publish_dashboard(tracked, config.entity, config.timeout)
    except PublicationError as error:
        seeds = any(directory.seeds(variant) for variant in directory.variants())
        runs = f"*/{SEED}*/{FOLD}*" if seeds else f"*/{FOLD}*"
        raise PublicationError(
            f"the dashboard is not published: {error}. Upload runs that were logged offline with `wandb sync "
            f"{directory.path}/{runs}/wandb/offline-run-*`, then give the same command again."
        ) from error
    log.info("the dashboard of %s is published: %s", directory.path, url)
    return url
