"""`mds-lightning simulate`: draw the smears; and where the cohort of any command is found."""

import logging
from pathlib import Path

from filelock import FileLock
from omegaconf import DictConfig, OmegaConf

from mds_lightning.cohort.path_or_url import File, Folder, locate_file, locate_folder
from mds_lightning.cohort.simulation.simulated_cohort import SimulationParameters, simulate_cohort

log = logging.getLogger(__name__)


def simulate(config: DictConfig) -> File:
    """Draw the simulated cohort unless it is there, and return its manifest.

    Args:
        config: `conf/simulate.yaml`.

    Raises:
        ValueError: `cohort.manifest` names a real cohort, or a parameter is out of its range.
    """
    if config.cohort.manifest is not None:
        raise ValueError("cohort.manifest names a real cohort: leave it out to simulate one")
    manifest = locate_manifest(config)
    log.info("the simulated cohort is %s", manifest)
    return manifest


def locate_manifest(config: DictConfig) -> File:
    """The manifest of `config.cohort`: the user's own, or the simulated cohort's, drawn where missing."""
    if config.cohort.manifest is not None:
        return locate_file(config.cohort.manifest, "cohort.manifest")
    if config.cohort.simulation is None:
        raise ValueError("cohort.manifest has no value: give cohort.manifest=FILE")
    settings = OmegaConf.to_container(config.cohort.simulation, resolve=True)
    assert isinstance(settings, dict)
    parameters = SimulationParameters(**{str(key): value for key, value in settings.items()})
    directory = _simulation_directory(config, parameters)
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Several jobs may start at once on an empty disk: one draws, the others wait and find it done.
    with FileLock(directory.with_name(f".{directory.name}.lock")):
        return simulate_cohort(directory, parameters)


def locate_root(config: DictConfig) -> Folder | None:
    """The folder that the manifest's paths start from; None: its own."""
    return locate_folder(config.cohort.root, "cohort.root") if config.cohort.root is not None else None


def _simulation_directory(config: DictConfig, parameters: SimulationParameters) -> Path:
    if config.cohort.directory is not None:
        return Path(config.cohort.directory)
    return Path(config.paths.data) / f"simulated-{parameters.hash}"
