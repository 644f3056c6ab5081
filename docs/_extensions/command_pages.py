"""A page for each verb, with its choices and keys, from the source of `mds-lightning VERB --help`."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml
from markdown_text import code, escape, table

from mds_lightning.cli import VERBS, conf_directory
from mds_lightning.cli.verb_help import ChoiceGroup, format_value, list_choices, list_values
from mds_lightning.commands.key_documentation import Key


def command_pages() -> dict[str, str]:
    """Verb to its page in Markdown."""
    return {verb: "\n".join(_describe_verb(verb, summary)) for verb, summary in VERBS.items()}


def _describe_verb(verb: str, summary: str) -> Iterator[str]:
    conf = conf_directory()
    yield f"# {verb}\n\n```text\nmds-lightning {verb} [KEY=VALUE ...]\n```\n"
    yield f"{escape(summary[0].upper() + summary[1:])}.\n"
    groups = list(list_choices(verb, conf))
    if groups:
        yield "## Choices\n\n`GROUP=CHOICE` selects a file of `conf/GROUP/`, which sets several keys.\n"
        for group in groups:
            yield from _describe_group(group, conf)
    yield "## Keys\n"
    values = list_values(verb, [], conf)
    sections: dict[str, list[tuple[Key, Any]]] = defaultdict(list)
    for key, value in values:
        if key.type != "group":
            sections[key.name.rpartition(".")[0]].append((key, value))
    titles = {key.name: key.documentation for key, _ in values if key.type == "group"}
    for section in ["", *titles]:
        if section:
            yield f"### {section}\n\n{escape(titles[section])}\n"
        for key, value in sections[section]:
            yield _describe_key(key, value)


def _describe_group(group: ChoiceGroup, conf: Path) -> Iterator[str]:
    yield f"### {group.name}=\n"
    texts = {name: _comment(conf / group.name / f"{name}.yaml") for name in group.choices}
    names = {name: code(name) + (" (default)" if name == group.default else "") for name in group.choices}
    if self_explanatory := [names[name] for name, text in texts.items() if not text]:
        yield ", ".join(self_explanatory) + "\n"
    if rows := [[names[name], escape(text)] for name, text in texts.items() if text]:
        yield table(["choice", "content"], rows)


def _comment(file: Path) -> str:
    """The comment at the start of a YAML file, without Hydra's package directive."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# @package"):
            lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def _describe_key(key: Key, value: Any) -> str:
    shown = format_value(value) or '""'
    kind, block = f"*{escape(key.type)}*", ""
    if shown == "REQUIRED":
        kind += ", required"
    elif key.type == "mapping" and value:
        block = f"\nDefault:\n\n```yaml\n{yaml.safe_dump(value, sort_keys=False)}```\n"
    else:
        kind += f", default {code(shown)}"
    description = f": {kind}\n\n{escape(key.documentation)}\n{block}"
    return f"{code(key.name)}\n{indent(description, '  ').removeprefix('  ')}"
