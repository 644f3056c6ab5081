"""Lightning plugin for SLURM without automatic requeueing."""

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment


def cluster_plugins() -> list[SLURMEnvironment]:
    """The plugin inside a SLURM job; empty elsewhere.

    On SIGUSR1, Lightning (2.6) would write a checkpoint in the middle of an epoch and requeue the job in
    addition to the launcher. Here a run continues from `last.ckpt`, the end of its last epoch, with the same
    result as without interruption; submitit (a grid) or the script of the worker (a search) requeues the job.
    """
    inside = SLURMEnvironment.detect() and not TorchElasticEnvironment.detect()
    return [SLURMEnvironment(auto_requeue=False)] if inside else []
