"""The settings `resources` of a configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JobResources:
    """What one job is given on a cluster (launcher=slurm).

    Attributes:
        cpus: Processor cores per task.
        memory_gb: Main memory, GB; null: the default of the cluster.
        gpus: Number of GPUs; null: none.
        tasks: Number of processes: one per GPU with trainer=ddp.
        minutes: Longest running time.
    """

    cpus: int = 4
    memory_gb: int | None = 16
    gpus: int | None = None
    tasks: int = 1
    minutes: int = 720
