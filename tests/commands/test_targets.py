import pytest
from hydra.errors import InstantiationException
from omegaconf import OmegaConf

from mds_lightning.commands.targets import instantiate


def test_targets_outside_the_list_are_refused():
    with pytest.raises(InstantiationException, match=r"subprocess\.run"):
        instantiate(OmegaConf.create({"_target_": "subprocess.run", "args": ["true"]}))


def test_an_allowed_target_is_constructed_with_the_arguments_of_the_call():
    stopping = {"_target_": "lightning.pytorch.callbacks.EarlyStopping", "monitor": "val/auroc"}
    assert instantiate(OmegaConf.create(stopping), patience=7).patience == 7
