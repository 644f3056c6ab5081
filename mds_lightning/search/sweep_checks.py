"""Checks of a sweep before it starts."""

from omegaconf import DictConfig, OmegaConf

#: Strategies that fork or spawn processes instead of running the command again.
_WITHIN_THE_PROCESS = ("ddp_spawn", "ddp_fork", "ddp_notebook")


def refuse_subprocess_ddp(config: DictConfig) -> None:
    """Raise if the jobs of a sweep would start copies of the command.

    Lightning's subprocess launcher runs `sys.argv` again for every further device, that is the whole sweep:
    with a sampler, the ranks then silently train with different parameters (pytorch-lightning #11300,
    hydra #2070). Under SLURM, tasks that srun started are used instead and nothing is run again.

    Raises:
        ValueError: The message lists alternatives.
    """
    strategy = str(OmegaConf.select(config, "trainer.strategy") or "auto")
    devices = OmegaConf.select(config, "trainer.devices", default=1)
    tasks = OmegaConf.select(config, "hydra.launcher.tasks_per_node") or 1
    several = devices not in (1, "1") and not (OmegaConf.is_list(devices) and len(devices) == 1)
    named = strategy.startswith(("ddp", "fsdp", "deepspeed")) and not strategy.startswith(_WITHIN_THE_PROCESS)
    # Lightning uses DDP for several devices by default; "auto" devices are one on a CPU.
    implied = strategy == "auto" and devices != "auto"
    if several and (named or implied) and tasks == 1:
        raise ValueError(
            f"trainer.strategy={strategy} with trainer.devices={devices} in a multirun: every further "
            "process would run the whole sweep again. Give each job one device (trainer=gpu) and "
            "run several jobs at once, or use trainer.strategy=ddp_spawn, or launcher=slurm with "
            "hydra.launcher.tasks_per_node=trainer.devices."
        )


def refuse_submitted_search(config: DictConfig) -> None:
    """Raise if a search would submit single trials to the queue of a cluster.

    The sampler could not learn while all trials wait in the queue, and one killed job would stop the sweep.

    Raises:
        ValueError: The message says how to run a search on a cluster.
    """
    if str(OmegaConf.select(config, "hydra.launcher._target_")).endswith("SlurmLauncher"):
        raise ValueError(
            "launcher=slurm runs grids (sweep=folds, sweep=backbones). A search runs on a cluster as an "
            "array of workers that share the study, each with launcher=local: "
            "sbatch experiments/slurm/search.sbatch"
        )
