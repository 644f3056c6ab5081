"""Subprocess DDP cannot run inside a multirun."""

from omegaconf import DictConfig, OmegaConf


def refuse_subprocess_ddp(config: DictConfig) -> None:
    """Raise if the jobs of a sweep would start their own copies of the command.

    Lightning's subprocess launcher runs `sys.argv` again for every further device, that is the whole sweep:
    with a sampler, the ranks then silently train with different parameters (pytorch-lightning #11300,
    hydra #2070). Under SLURM, tasks that srun started are used instead and nothing is run again.

    Raises:
        ValueError: With the ways out.
    """
    strategy = str(OmegaConf.select(config, "trainer.strategy") or "auto")
    devices = OmegaConf.select(config, "trainer.devices")
    subprocess = strategy.startswith(("ddp", "fsdp", "deepspeed")) and not strategy.startswith(
        ("ddp_spawn", "ddp_fork", "ddp_notebook")
    )
    tasks = OmegaConf.select(config, "hydra.launcher.tasks_per_node") or 1
    if subprocess and devices not in (1, "1") and tasks == 1:
        raise ValueError(
            f"trainer.strategy={strategy} with trainer.devices={devices} in a multirun: every further "
            "process would run the whole sweep again. Give each job one device (trainer=gpu) and "
            "run several jobs at once, or take trainer.strategy=ddp_spawn, or launcher=slurm with "
            "hydra.launcher.tasks_per_node=trainer.devices."
        )
