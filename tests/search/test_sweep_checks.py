"""What a sweep cannot do is refused before it begins."""

import pytest
from omegaconf import OmegaConf

from mds_lightning.search.sweep_checks import refuse_subprocess_ddp


def config(tasks: int | None = None, **trainer: object):
    launcher = {} if tasks is None else {"tasks_per_node": tasks}
    return OmegaConf.create({"trainer": trainer, "hydra": {"launcher": launcher}})


@pytest.mark.parametrize("devices", [2, -1, "auto", [0, 1]])
@pytest.mark.parametrize("strategy", ["ddp", "ddp_find_unused_parameters_true", "fsdp"])
def test_processes_that_would_run_the_whole_sweep_again_are_refused(strategy: str, devices: object) -> None:
    with pytest.raises(ValueError, match=r"run the whole sweep again.*trainer=gpu.*launcher=slurm"):
        refuse_subprocess_ddp(config(strategy=strategy, devices=devices))


@pytest.mark.parametrize(
    "harmless",
    [
        config(devices=1),
        config(strategy="auto", devices="auto"),
        config(strategy="ddp", devices=[3]),
        config(strategy="ddp", devices=1),
        config(strategy="ddp_spawn", devices=2),
        config(strategy="ddp", devices=4, tasks=4),
        OmegaConf.create({"hydra": {}}),
    ],
)
def test_what_starts_no_copies_of_the_command_is_left_alone(harmless) -> None:
    before = OmegaConf.to_container(harmless)
    refuse_subprocess_ddp(harmless)
    assert OmegaConf.to_container(harmless) == before


def test_several_automatic_devices_mean_ddp() -> None:
    for settings in (config(devices=2), config(strategy="auto", devices=-1)):
        with pytest.raises(ValueError, match="run the whole sweep again"):
            refuse_subprocess_ddp(settings)
