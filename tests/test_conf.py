"""Every file of `conf/` composes, and every `_target_` in it can be imported."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from mds_lightning.cli import VERBS, conf_directory
from mds_lightning.commands.schema import register_schemas
from mds_lightning.search.plugin import register_search

CONF = conf_directory()
CHOICES = sorted(
    path.relative_to(CONF).with_suffix("")
    for path in CONF.glob("*/*.yaml")
    if path.parent.name not in ("paths", "local")
)
#: Values for the keys that a choice leaves to the user.
NEEDED = {
    "cohort/manifest": ["cohort.manifest=m.csv"],
    "task/binary": ["task.positive=a", "task.negative=b"],
    "task/multiclass": ["task.classes=[a,b,c]"],
    "backbone/timm": ["backbone.name=efficientnet_b0"],
}


@pytest.fixture(autouse=True)
def hydra():
    register_schemas()
    register_search()
    with initialize_config_dir(str(CONF)):
        yield


def _targets(settings):
    if isinstance(settings, dict):
        yield from ([settings["_target_"]] if "_target_" in settings else [])
        settings = list(settings.values())
    if isinstance(settings, list):
        for value in settings:
            yield from _targets(value)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_every_choice_composes_and_its_targets_exist(choice: Path):
    overrides = [f"{choice.parent}={choice.name}", *NEEDED.get(str(choice), [])]
    config = compose("train", overrides)
    settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    for target in _targets(settings):
        assert callable(get_object(target)), target


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_composes(verb):
    config = compose(verb, ["study=s"] if verb in ("test", "evaluate", "report", "study") else [])
    settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert settings


def test_the_backbones_of_the_configuration_are_those_of_the_registry():
    from mds_lightning.models.backbones import BACKBONES

    named = {choice.name for choice in CHOICES if choice.parent.name == "backbone"} - {"timm"}
    assert named == set(BACKBONES)
    for name in named:
        assert compose("train", [f"backbone={name}"]).backbone.name == name


def test_a_manifest_selects_the_manifest_cohort():
    config = compose("train", ["cohort.manifest=m.csv"])
    assert config.cohort.manifest == "m.csv"
