"""Text of `mds-lightning VERB --help`: the groups of choices, and every key with its value."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from mds_lightning.commands.key_documentation import list_keys
from mds_lightning.commands.schema import PARAMETERS, register_schemas
from mds_lightning.search.plugin import register_search

_WIDTH = 100
_INDENT = " " * 6
_REQUIRED = "???"


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
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf)):
        config = compose(verb, [override for override in overrides if not override.startswith("-")])
    blocks = [
        [f"usage: mds-lightning {verb} [KEY=VALUE ...]", "", summary],
        ["choices (GROUP=CHOICE):", *_describe_choices(verb, conf)],
        ["keys (KEY=VALUE):", *_describe_keys(verb, config)],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if len(lines) > 1)


def _describe_choices(verb: str, conf: Path) -> Iterator[str]:
    defaults = yaml.safe_load((conf / f"{verb}.yaml").read_text(encoding="utf-8"))["defaults"]
    for entry in defaults:
        group, default = next(iter(entry.items())) if isinstance(entry, dict) else ("", None)
        names = sorted(path.stem for path in (conf / group).glob("*.yaml")) if group else []
        if names and "/" not in group:
            shown = [f"{name} (default)" if name == default else name for name in names]
            yield from _wrap(f"{group}={', '.join(shown)}", "  ", " " * (len(group) + 3))


def _describe_keys(verb: str, config: DictConfig) -> Iterator[str]:
    for key in list_keys(PARAMETERS[verb]):
        # Not resolved: ${...} says where the value comes from.
        parent, _, name = key.name.rpartition(".")
        node: Any = OmegaConf.select(config, parent) if parent else config
        value = OmegaConf.to_container(node, resolve=False)[name] if node is not None else None  # type: ignore[index, call-overload]
        if key.type in ("group", "mapping"):
            yield f"  {key.name}:{' null' if value is None else ''}"
        else:
            yield f"  {key.name}={_format(value)}  ({key.type})"
        yield from _wrap(key.documentation, _INDENT, _INDENT)
        if key.type == "mapping" and value:
            yield from textwrap.indent(yaml.safe_dump(value, sort_keys=False), _INDENT * 2).splitlines()


def _format(value: Any) -> str:
    if value == _REQUIRED:
        return "REQUIRED"
    return value if isinstance(value, str) else json.dumps(value)


def _wrap(text: str, first: str, following: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=following, break_on_hyphens=False
    )
