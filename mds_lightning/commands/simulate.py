"""`mds-lightning simulate`: draw a simulated cohort."""

import logging
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from mds_lightning.cohort.path_or_url import File
from mds_lightning.studies.cohort_files import prepare_cohort_files

log = logging.getLogger(__name__)


def simulate(config: DictConfig) -> File:
    """Draw the simulated cohort if it is missing, and return its manifest.

    Args:
        config: `conf/simulate.yaml`.

    Raises:
        ValueError: `cohort.manifest` names a real cohort, or a parameter is out of its range.
    """
    if config.cohort.manifest is not None:
        raise ValueError("cohort.manifest names a real cohort: leave it out to simulate one")
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    manifest = prepare_cohort_files(settings).manifest
    log.info("the simulated cohort is %s", manifest)
    return manifest
