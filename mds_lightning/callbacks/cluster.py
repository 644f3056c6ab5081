"""What Lightning is told about the cluster it runs on."""

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment


def cluster_plugins() -> list[SLURMEnvironment]:
    """SLURM without Lightning's own requeueing, inside a SLURM job; nothing elsewhere.

    Lightning (2.6) would answer SIGUSR1 by a checkpoint in the middle of an epoch, and requeue the job beside
    whoever else does so. Here a run goes on from `last.ckpt`, the end of its last epoch, with the same bytes
    as if it had never stopped; submitit (a grid) or the worker's script (a search) queues the job again.
    """
    inside = SLURMEnvironment.detect() and not TorchElasticEnvironment.detect()
    return [SLURMEnvironment(auto_requeue=False)] if inside else []
