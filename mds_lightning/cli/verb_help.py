"""Text of `mds-lightning VERB --help`: the groups of choices, and every key with its value."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from mds_lightning.cli.text_values import quote_text_values
from mds_lightning.commands.key_documentation import Key, list_keys
from mds_lightning.commands.schema import PARAMETERS, register_schemas
from mds_lightning.search.plugin import register_search

_WIDTH = 100
_INDENT = " " * 6
_REQUIRED = "???"


@dataclass(frozen=True)
class ChoiceGroup:
    """A folder of `conf/`, from which `GROUP=CHOICE` selects one file.

    Attributes:
        name: Name of the folder.
        choices: Its files without suffix, sorted.
        default: The choice if none is given; None: none.
    """

    name: str
    choices: tuple[str, ...]
    default: str | None


def describe_verb(verb: str, summary: str, overrides: Sequence[str], conf: Path) -> str:
    """Describe a verb, its groups of choices and its keys.

    Args:
        verb: Name of the verb.
        summary: What it does, in one line.
        overrides: As on the command line; the values shown are those after them.
        conf: Folder of the configuration.

    Raises:
        hydra.errors.HydraException: An override is invalid.
    """
    given = [override for override in overrides if not override.startswith("-")]
    values = list_values(verb, quote_text_values(given, PARAMETERS[verb]), conf)
    blocks = [
        [f"usage: mds-lightning {verb} [KEY=VALUE ...]", "", summary],
        ["choices (GROUP=CHOICE):", *_describe_choices(verb, conf)],
        ["keys (KEY=VALUE):", *_describe_keys(values)],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if len(lines) > 1)


def list_choices(verb: str, conf: Path) -> Iterator[ChoiceGroup]:
    """Yield the groups of choices of a verb."""
    defaults = yaml.safe_load((conf / f"{verb}.yaml").read_text(encoding="utf-8"))["defaults"]
    for entry in defaults:
        group, default = next(iter(entry.items())) if isinstance(entry, dict) else ("", None)
        choices = sorted(path.stem for path in (conf / group).glob("*.yaml")) if group else []
        if choices and "/" not in group:
            yield ChoiceGroup(group, tuple(choices), default)


def list_values(verb: str, overrides: Sequence[str], conf: Path) -> list[tuple[Key, Any]]:
    """Every key of a verb with its value after the overrides.

    A value is not resolved: `${...}` says where it comes from. A required key without one is `???`.

    Raises:
        hydra.errors.HydraException: An override is invalid.
    """
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf)):
        config = compose(verb, list(overrides))
    return [(key, _find_value(config, key)) for key in list_keys(PARAMETERS[verb])]


def format_value(value: Any) -> str:
    """A value as the command line takes it."""
    if value == _REQUIRED:
        return "REQUIRED"
    return value if isinstance(value, str) else json.dumps(value)


def _find_value(config: DictConfig, key: Key) -> Any:
    parent, _, name = key.name.rpartition(".")
    node: Any = OmegaConf.select(config, parent) if parent else config
    return OmegaConf.to_container(node, resolve=False)[name] if node is not None else None  # type: ignore[index, call-overload]


def _describe_choices(verb: str, conf: Path) -> Iterator[str]:
    for group in list_choices(verb, conf):
        shown = [f"{name} (default)" if name == group.default else name for name in group.choices]
        yield from _wrap(f"{group.name}={', '.join(shown)}", "  ", " " * (len(group.name) + 3))


def _describe_keys(values: Sequence[tuple[Key, Any]]) -> Iterator[str]:
    for key, value in values:
        if key.type in ("group", "mapping"):
            yield f"  {key.name}:{' null' if value is None else ''}"
        else:
            yield f"  {key.name}={format_value(value)}  ({key.type})"
        yield from _wrap(key.documentation, _INDENT, _INDENT)
        if key.type == "mapping" and value:
            yield from textwrap.indent(yaml.safe_dump(value, sort_keys=False), _INDENT * 2).splitlines()


def _wrap(text: str, first: str, following: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=following, break_on_hyphens=False
    )
