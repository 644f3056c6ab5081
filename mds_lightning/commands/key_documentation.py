"""What `--help` prints of a key: its type and its documentation, from the parameter class."""

import inspect
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_ENTRY = re.compile(r"^    (\w+): (.*)$")
_CONTINUED = " " * 8


def document_keys(parameters: type) -> dict[str, str]:
    """Field to its documentation, from the `Attributes:` sections of the class and its bases.

    Raises:
        ValueError: A field is not documented.
    """
    documented: dict[str, str] = {}
    for base in reversed(parameters.__mro__):
        documented |= _attributes(inspect.cleandoc(base.__doc__ or ""))
    keys = [one.name for one in fields(parameters)]
    missing = [key for key in keys if key not in documented]
    if missing:
        raise ValueError(
            f"{parameters.__name__}: document {', '.join(missing)} under 'Attributes:' of its docstring"
        )
    return {key: documented[key] for key in keys}


def describe_type(hint: Any) -> str:
    """A field's type as the command line names it, such as `int`, `raise|skip` or `str|null`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "|".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        return "|".join(dict.fromkeys(describe_type(part) for part in arguments))
    if origin is Annotated:
        return describe_type(arguments[0])
    if hint is types.NoneType:
        return "null"
    if hint in (Path, str):
        return "str"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "mapping"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return "list"
    return "any" if hint is Any else str(hint.__name__)


def _attributes(docstring: str) -> dict[str, str]:
    """The entries below `Attributes:`, up to the next section."""
    found: dict[str, str] = {}
    _, _, section = docstring.partition("\nAttributes:\n")
    key = None
    for line in section.splitlines():
        if entry := _ENTRY.match(line):
            key, found[entry[1]] = entry[1], entry[2]
        elif key is not None and line.startswith(_CONTINUED):
            found[key] += f" {line.strip()}"
        else:
            break
    return found
