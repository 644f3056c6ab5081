"""A configuration builds the classes that are named one by one, and those that the user trusts."""

from pathlib import Path

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from mds_lightning.cli import conf_directory
from mds_lightning.commands.targets import PERMITTED, instantiate, refuse_unknown_targets
from mds_lightning.search.permitted_targets import (
    IDENTITIES,
    PRUNERS,
    SAMPLERS,
    TargetError,
    find_function,
    refuse_other_targets,
)

#: Functions of permitted packages that build or run anything, open files, or call out.
DANGEROUS = (
    "lightning.pytorch.cli.instantiate_class",
    "lightning.fabric.utilities.cloud_io._load",
    "lightning.pytorch.callbacks.LambdaCallback",
    "logging.FileHandler",
    "logging.config.dictConfig",
    "optuna.storages.RDBStorage",
    "rich.console.Console",
    "mds_lightning.cohort.atomic_file.write_atomically",
    "hydra.utils.get_method",
    "os.system",
)


def config_of(section: str, node: object) -> DictConfig:
    return OmegaConf.create({"trainer": {}, "callbacks": {}, "logger": {}} | {section: node})


@pytest.mark.parametrize("target", DANGEROUS)
@pytest.mark.parametrize("section", ["trainer", "callbacks", "logger"])
def test_a_class_or_function_that_is_not_named_is_refused_at_any_depth(target: str, section: str) -> None:
    node = {"_target_": target}
    known = {"_target_": "lightning.Trainer", "profiler": [{"of": node}]}
    for config in (config_of(section, {"x": node}), config_of("trainer", known)):
        with pytest.raises(TargetError, match=rf"{target}: .*MDS_LIGHTNING_TARGETS={target}"):
            refuse_unknown_targets(config)
    with pytest.raises(TargetError, match=target):
        instantiate(config_of(section, {"x": node}), section)


@pytest.mark.parametrize("permitted", [SAMPLERS, PRUNERS])
def test_samplers_and_pruners_are_named_one_by_one(permitted: tuple[str, ...]) -> None:
    for name in permitted:
        refuse_other_targets({"_target_": name}, "hydra.sweeper.x", permitted)
    wrapped = {"_target_": permitted[0], "wrapped": {"_target_": "optuna.storages.RDBStorage"}}
    with pytest.raises(TargetError, match=r"hydra\.sweeper\.x\.wrapped\._target_=optuna\.storages"):
        refuse_other_targets(wrapped, "hydra.sweeper.x", permitted)


def test_the_following_of_the_message_permits_an_own_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_callbacks.py").write_text("import lightning\nclass Mine(lightning.Callback): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    config = config_of("callbacks", {"mine": {"_target_": "own_callbacks.Mine"}})
    with pytest.raises(TargetError) as refused:
        refuse_unknown_targets(config)
    advice = next(word for word in str(refused.value).split() if word.startswith("MDS_LIGHTNING_TARGETS="))
    monkeypatch.setenv(*advice.split("=", 1))
    refuse_unknown_targets(config)
    assert type(instantiate(config, "callbacks")["mine"]).__name__ == "Mine"
    with pytest.raises(TargetError):
        refuse_unknown_targets(config_of("callbacks", {"mine": {"_target_": "own_callbacks.Other"}}))


def test_a_mistyped_class_is_refused_with_the_nearest_one() -> None:
    stopping = {"_target_": "lightning.pytorch.callbacks.EarlyStoping"}
    with pytest.raises(TargetError, match=r"Did you mean lightning\.pytorch\.callbacks\.EarlyStopping\?"):
        refuse_unknown_targets(config_of("callbacks", {"stopping": stopping}))


def test_every_permitted_class_exists_and_every_shipped_configuration_is_permitted() -> None:
    import hydra.utils

    named = {*SAMPLERS, *PRUNERS, *IDENTITIES, *(name for names in PERMITTED.values() for name in names)}
    for name in named:
        assert callable(hydra.utils.get_object(name)), name
    for section, permitted in PERMITTED.items():
        for path in (conf_directory() / section).glob("*.yaml"):
            refuse_other_targets(yaml.safe_load(path.read_text()), section, permitted)


def test_a_permitted_class_is_constructed_with_the_arguments_of_the_call() -> None:
    stopping = {"_target_": "lightning.pytorch.callbacks.EarlyStopping", "monitor": "val/auroc"}
    made = instantiate(config_of("callbacks", stopping), "callbacks", patience=7)
    assert made.patience == 7


def test_the_identity_of_a_search_is_one_function() -> None:
    assert find_function(IDENTITIES[0], "hydra.sweeper.identity", IDENTITIES).func.__name__ == "identify"
    with pytest.raises(TargetError, match=r"hydra\.sweeper\.identity.*=os\.system"):
        find_function("os.system", "hydra.sweeper.identity", IDENTITIES)
