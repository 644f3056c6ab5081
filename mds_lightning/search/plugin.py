"""The plugin `hydra/sweeper=optuna_study`; it imports Optuna when a sweep starts, not before."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from hydra_plugins.hydra_optuna_sweeper.config import OptunaSweeperConf, SamplerConfig
from omegaconf import DictConfig


@dataclass
class StudySweeperConf(OptunaSweeperConf):
    """Options in addition to those of hydra-optuna-sweeper.

    Attributes:
        storage: See `mds_lightning.search.store.open_store`.
        study_name: Name in the storage; a grid adds its keys.
        n_trials: Finished trials of the whole study, over all workers and restarts. A grid has one per cell.
        n_jobs: Number of trials of this process that are launched together.
        max_failure_rate: Fraction of the trials of the study that may fail in this process before it stops.
        seed: Seed of the samplers, unless `sampler.seed` is given.
        pruner: Configuration of an Optuna pruner; null: none.
        identity: Dotted path of a function from the configuration to the identity of the study (text to
            text): a stored study with another identity is refused.
        heartbeat: Seconds between heartbeats of a running trial.
        grace: Seconds without a heartbeat after which a trial is given to another worker.
        max_kills: How often the workers of a point may be killed before it is not tried again.
        poll: Seconds between checks of the study while other workers run the last trials.
    """

    _target_: str = "mds_lightning.search.plugin.StudySweeper"
    storage: Any | None = "sqlite:///${hydra.sweep.dir}/study.db"
    study_name: str | None = "${hydra.job.name}"
    n_jobs: int = 1
    seed: int = 0
    pruner: Any | None = None
    identity: str | None = None
    heartbeat: int = 60
    grace: int = 180
    max_kills: int = 10
    poll: float = 2.0


@dataclass
class SobolSamplerConf(SamplerConfig):
    """`hydra/sweeper/sampler=sobol`.

    Attributes:
        seed: Seed of the sequence; None: `StudySweeperConf.seed`.
    """

    _target_: str = "mds_lightning.search.sobol_sampler.SobolSampler"
    seed: int | None = None


class StudySweeper(Sweeper):
    """Delegates to `mds_lightning.search.sweeper.StudySweeperImpl`."""

    def __init__(self, **options: Any) -> None:
        from mds_lightning.search.sweeper import StudySweeperImpl

        self._sweeper = StudySweeperImpl(**options)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """See Hydra."""
        self._sweeper.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def sweep(self, arguments: list[str]) -> None:
        """See `StudySweeperImpl.sweep`."""
        self._sweeper.sweep(arguments)


def register_search() -> None:
    """Register the sweeper, its sampler and the SLURM launcher, before Hydra composes a configuration."""
    Plugins.instance().register(StudySweeper)
    ConfigStore.instance().store(
        group="hydra/sweeper",
        name="optuna_study",
        node=StudySweeperConf,
        provider="mds_lightning",
        replace=True,
    )
    ConfigStore.instance().store(
        group="hydra/sweeper/sampler",
        name="sobol",
        node=SobolSamplerConf,
        provider="mds_lightning",
        replace=True,
    )
    if find_spec("hydra_plugins.hydra_submitit_launcher") is not None:  # extra `hpc`
        from mds_lightning.search.slurm import GridSlurmLauncher

        Plugins.instance().register(GridSlurmLauncher)
