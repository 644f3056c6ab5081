"""Every command in README, docs and experiments composes, and every local link has a target."""

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
PACKAGE = ROOT / "mds_lightning"
READMES = sorted((ROOT / "experiments").glob("*/README.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")), *READMES]


def _commands(text):
    """(verb, overrides) of each `mds-lightning` command in the console blocks of a Markdown text."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "))
            if words[:1] == ["mds-lightning"]:
                yield words[1], words[2:]


COMMANDS = [
    pytest.param(verb, words, id=f"{path.relative_to(ROOT)}: {verb} {' '.join(words)[:60]}")
    for path in PAGES
    for verb, words in _commands(path.read_text(encoding="utf-8"))
]


def _first_value(word):
    """An override with the first of its swept values; empty for the flag -m."""
    key, _, value = word.partition("=")
    if value.startswith("choice("):
        value = value.removeprefix("choice(").removesuffix(")")
    if "," in value and value[0] not in "[{'":
        value = value.split(",")[0]
    return f"{key}={value}" if key != "-m" else ""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_local_links_have_a_target(path):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith(("http:", "https:"))]
    assert not [link for link in local if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_source_files_exist(path):
    named = re.findall(r"`([\w/.]+/[\w]+\.(?:py|md|yaml|sbatch))`", path.read_text(encoding="utf-8"))
    # Pages name files of the package without its name.
    assert not [name for name in named if not any((place / name).exists() for place in (ROOT, PACKAGE))]


def test_every_experiment_states_question_command_cost_and_expectation():
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
        config = compose(verb, [word for word in map(_first_value, words) if word])
    OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
