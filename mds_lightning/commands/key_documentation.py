"""Name, type and documentation of every key, from the parameter classes."""

import inspect
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

_ENTRY = re.compile(r"^    (\w+): (.*)$")
_CONTINUATION = " " * 8


@dataclass(frozen=True)
class Key:
    """A key of a configuration.

    Attributes:
        name: Dotted name, such as `data.batch_size`.
        type: Its type as the command line names it, such as `int`, `raise|skip` or `str|null`; `group` for a
            key that only holds further keys.
        documentation: What it means, in one paragraph.
        elements: Type of the elements, if the key accepts a list; else empty.
    """

    name: str
    type: str
    documentation: str
    elements: str = ""


def list_keys(parameters: type, prefix: str = "") -> Iterator[Key]:
    """Yield every key of a parameter class; a group comes before its keys.

    Args:
        parameters: Dataclass that describes each of its fields under `Attributes:`.
        prefix: Prepended to the names, such as `data.`.

    Raises:
        ValueError: A field is not documented.
    """
    hints = get_type_hints(parameters)
    documented = document_fields(parameters)
    for one in fields(parameters):
        name, group = prefix + one.name, _find_group(hints[one.name])
        kind = "group" if group is not None else describe_type(hints[one.name])
        yield Key(name, kind, documented[one.name], _describe_elements(hints[one.name]))
        if group is not None:
            yield from list_keys(group, f"{name}.")


def document_fields(parameters: type) -> dict[str, str]:
    """Field to its documentation, from the `Attributes:` sections of the class and its bases.

    Raises:
        ValueError: A field is not documented.
    """
    documented: dict[str, str] = {}
    for base in reversed(parameters.__mro__):
        documented |= _attributes(inspect.cleandoc(base.__doc__ or ""))
    names = [one.name for one in fields(parameters)]
    missing = [name for name in names if name not in documented]
    if missing:
        raise ValueError(
            f"{parameters.__name__}: document {', '.join(missing)} under 'Attributes:' of its docstring"
        )
    return {name: documented[name] for name in names}


def describe_type(hint: Any) -> str:
    """A field's type as the command line names it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "|".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return "|".join(dict.fromkeys(describe_type(part) for part in arguments))
    if hint is types.NoneType:
        return "null"
    if hint in (Path, str):
        return "str"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "mapping"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return "list"
    return "any" if hint is Any else str(hint.__name__)


def _describe_elements(hint: Any) -> str:
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    lists = [get_args(part) for part in parts if describe_type(part) == "list"]
    return describe_type(lists[0][0]) if lists and lists[0] else ""


def _find_group(hint: Any) -> type | None:
    """The parameter class of a field that is one, or may be None instead of one."""
    parts = get_args(hint) if get_origin(hint) in (Annotated, Union, types.UnionType) else (hint,)
    return next((part for part in parts if isinstance(part, type) and is_dataclass(part)), None)


def _attributes(docstring: str) -> dict[str, str]:
    """The entries of the section `Attributes:`."""
    found: dict[str, str] = {}
    _, _, section = docstring.partition("\nAttributes:\n")
    name = ""
    for line in section.splitlines():
        if entry := _ENTRY.match(line):
            name, found[entry[1]] = entry[1], entry[2]
        elif name and line.startswith(_CONTINUATION):
            found[name] += f" {line.strip()}"
        else:
            break
    return found
