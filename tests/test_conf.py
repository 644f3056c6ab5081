"""Every file of `conf/` composes, and every `_target_` in it can be imported."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from hydra.utils import get_object
from omegaconf import OmegaConf

from mds_lightning.cli import VERBS, conf_directory
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.commands.schema import Paths, register_schemas
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters
from mds_lightning.data.data_parameters import DataParameters, SamplingParameters
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.search.blindness import is_blind
from mds_lightning.search.job_resources import JobResources
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

    files = {path.stem: OmegaConf.load(path) for path in (CONF / "backbone").glob("*.yaml")}
    assert OmegaConf.is_missing(files.pop("timm"), "name")
    assert files == {name: {"name": name} for name in BACKBONES}


@pytest.mark.parametrize("sweep", ["backbones", "hyperparameters", "hyperparameters_tpe"])
def test_sweeps_of_backbones_offer_all_of_the_registry(sweep):
    from mds_lightning.models.backbones import BACKBONES

    config = compose("train", [f"sweep={sweep}"], return_hydra_config=True)
    choices = config.hydra.sweeper.params.backbone.removeprefix("choice(").removesuffix(")")
    assert sorted(choices.replace(" ", "").split(",")) == sorted(BACKBONES)


def test_the_default_search_is_blind_and_the_other_one_is_not():
    for sweep, blind in (("hyperparameters", True), ("hyperparameters_tpe", False)):
        sweeper = compose("train", [f"sweep={sweep}"], return_hydra_config=True).hydra.sweeper
        assert is_blind(sweeper.sampler, sweeper.pruner) is blind


def test_keys_that_no_choice_changes_have_the_defaults_of_their_class():
    config = OmegaConf.to_container(compose("train", ["cohort=manifest", "cohort.manifest=m.csv"]))
    for group, default in {
        "folds": SplitParameters(),
        "classifier": Hyperparameters(),
        "sampling": SamplingParameters(),
        "explain": ExplanationParameters(),
        "data": DataParameters(),
        "cache": CacheParameters(directory=Path("${paths.data}/cache")),
        "resources": JobResources(),
        "paths": Paths(),
    }.items():
        expected = {
            key: str(value) if isinstance(value, Path) else value for key, value in asdict(default).items()
        }
        assert config[group] == expected, group


def test_the_simulated_cohort_has_the_defaults_of_its_class():
    given = OmegaConf.to_container(compose("train").cohort.simulation)
    default = asdict(SimulationParameters(external_patients={"MDS": 10}))
    assert given == default


def test_a_choice_repeats_no_default():
    """A file of a group that a parameter class describes holds what differs from the class, and its name."""
    for group, parameters in {"augmentation": AugmentationParameters, "resources": JobResources}.items():
        default = asdict(parameters())
        for path in (CONF / group).glob("*.yaml"):
            given = OmegaConf.to_container(OmegaConf.load(path))
            inherited = given.pop("defaults", None)
            repeated = {key for key, value in given.items() if default[key] == value}
            assert inherited or not repeated, (path, repeated)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("explain.score=odds", r"expected one of \['probability', 'logit'\]"),
        ("data.view=half", r"expected one of \['whole', 'tiles', 'multi_scale'\]"),
        ("sampling.name=often", "expected one of"),
        ("resources.gpu=1", "Did you mean: 'gpus'"),
        ("classifier.optimizr=sgd", "Did you mean: 'optimizer'"),
    ],
)
def test_a_mistyped_key_or_choice_is_refused_with_what_there_is(override, message):
    with pytest.raises(ConfigCompositionException) as refusal:
        compose("train", [override])
    assert re.search(message, f"{refusal.value}\n{refusal.value.__cause__}")


def test_a_manifest_selects_the_manifest_cohort():
    config = compose("train", ["cohort.manifest=m.csv"])
    assert config.cohort.manifest == "m.csv"
