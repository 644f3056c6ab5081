import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import cloudpickle
import pytest
from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError, ValidationError

from mds_lightning.commands.derived_schema import CHANGES, derive_node
from mds_lightning.commands.schema import TrainParameters
from mds_lightning.data.cache import CacheParameters


@dataclass(frozen=True)
class Inner:
    kind: Literal["first", "second"] = "first"
    length: int | float = 0.5


@dataclass(frozen=True, kw_only=True)
class Outer:
    required: str
    folder: Path = Path("here")
    counts: Mapping[str, int] = field(default_factory=lambda: {"a": 1})
    names: Sequence[str] = ("x",)
    sizes: int | Sequence[int] = 3
    inner: Inner
    absent: Inner | None = None
    changes: Annotated[Inner, CHANGES]


@pytest.fixture
def config():
    return OmegaConf.structured(derive_node(Outer))


def test_a_node_has_the_defaults_of_the_class_and_no_entries_of_its_mappings(config):
    assert OmegaConf.is_missing(config, "required")
    config.required = "given"
    assert OmegaConf.to_container(config, throw_on_missing=True) == {
        "required": "given",
        "folder": "here",
        "counts": {},
        "names": ["x"],
        "sizes": 3,
        "inner": {"kind": "first", "length": 0.5},
        "absent": None,
        "changes": {"kind": None, "length": None},
    }


def test_two_nodes_share_no_list(config):
    config.names.append("y")
    assert OmegaConf.structured(derive_node(Outer)).names == ["x"]


@pytest.mark.parametrize("group", ["inner", "changes"])
def test_another_choice_is_refused_with_the_choices(config, group):
    with pytest.raises(ValidationError, match=r"'third', expected one of \['first', 'second'\]"):
        config[group].kind = "third"


def test_a_wrong_type_is_refused(config):
    config.inner.length = 2
    with pytest.raises(ValidationError):
        config.inner.length = "long"
    with pytest.raises(ValidationError):
        config.counts = {"a": "many"}


def test_an_unknown_key_is_refused(config):
    with pytest.raises(ConfigAttributeError, match="Did you mean: 'kind'"):
        config.inner.knd = "first"


def test_an_optional_group_takes_its_defaults_from_the_class(config):
    config = OmegaConf.merge(config, {"absent": {"kind": "second"}})
    assert config.absent == {"kind": "second", "length": 0.5}


def test_a_configuration_can_be_sent_to_another_process(config):
    config.required = "given"
    assert cloudpickle.loads(cloudpickle.dumps(config)) == config


@pytest.mark.parametrize(
    "node", [derive_node(TrainParameters), derive_node(CacheParameters, as_changes=True)]
)
def test_a_launcher_sends_a_reference_to_the_derived_class_to_other_processes(node: type) -> None:
    # A copy would hold a second `dataclasses.MISSING`, which OmegaConf would take for a default.
    program = (
        "import cloudpickle, sys; from omegaconf import OmegaConf; "
        "print(OmegaConf.to_yaml(OmegaConf.structured(cloudpickle.load(sys.stdin.buffer))), end='')"
    )
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, input=cloudpickle.dumps(node), capture_output=True, check=True).stdout
    assert printed.decode() == OmegaConf.to_yaml(OmegaConf.structured(node))
