from dataclasses import is_dataclass
from typing import get_type_hints

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mds_lightning.cli import conf_directory
from mds_lightning.commands.schema import TrainParameters, register_schemas
from mds_lightning.search.plugin import register_search
from mds_lightning.studies.setting_defaults import SECTIONS, default_settings
from mds_lightning.studies.settings import decisive_settings


def test_every_section_that_changes_results_has_its_class():
    sections = {name: hint for name, hint in get_type_hints(TrainParameters).items() if is_dataclass(hint)}
    decisive = {name for name in sections if decisive_settings({name: {"key": 0}})}
    assert {name: sections[name] for name in decisive} == SECTIONS


def test_defaults_are_those_of_a_composed_configuration():
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf_directory())):
        config = compose("train", ["augmentation=none"])
    # The sections that the files in conf/ do not change.
    for section in ("classifier", "augmentation", "data", "folds"):
        assert OmegaConf.to_container(config[section], resolve=True) == default_settings()[section]
