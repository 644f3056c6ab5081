"""Every command that an experiment's README gives can be typed as it stands."""

import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mds_lightning.cli import VERBS, conf_directory
from mds_lightning.commands.schema import register_schemas
from mds_lightning.search.plugin import register_search

ROOT = Path(__file__).parents[1]
READMES = sorted((ROOT / "experiments").glob("*/README.md"))


def _commands(text):
    """(verb, overrides) of each `mds-lightning` command in the console blocks of a Markdown text."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "))
            if words[:1] == ["mds-lightning"]:
                yield words[1], words[2:]


COMMANDS = [
    pytest.param(verb, words, id=f"{path.parent.name}: {verb} {' '.join(words)[:60]}")
    for path in READMES
    for verb, words in _commands(path.read_text(encoding="utf-8"))
]


def test_every_experiment_says_what_it_asks_costs_and_expects():
    named = {path.parent.name for path in READMES}
    assert {
        "mds_vs_donor", "mds_vs_aml", "external_mll", "backbone_sweep", "hyperparameter_search",
    } <= named  # fmt: skip
    for path in READMES:
        if path.parent.name in ("demo", "slurm", "wbc_fields"):
            continue
        text = path.read_text(encoding="utf-8")
        assert all(f"**{part}" in text for part in ("Question", "Command", "Cost", "Expected")), path


@pytest.mark.parametrize(("verb", "words"), COMMANDS)
def test_a_command_composes(verb, words):
    assert verb in VERBS
    if verb == "study" and words and words[0].isalpha():
        words = [f"action={words[0]}", *words[1:]]
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf_directory())):
        # What is swept is the sweeper's to read.
        config = compose(verb, [word for word in words if word != "-m" and "choice(" not in word])
    OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
