"""Hydra's structured nodes, derived from the parameter classes.

A parameter class is a frozen dataclass next to the code that uses it. It is the only place where a key's
name, type, default and documentation are written (see `key_documentation`).
"""

import functools
import operator
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, is_dataclass, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import omegaconf

#: Annotates a field whose own fields are all optional: null keeps the value of a finished run.
CHANGES = "changes"

_PRIMITIVE = (int, float, str, bool)


@functools.cache
def derive_node(parameters: type, as_changes: bool = False) -> type:
    """Return a dataclass that OmegaConf turns into a type-checked node with the fields of `parameters`.

    A field without a default is required (`???`). A `Literal` is a checked choice. A mapping is empty unless
    YAML fills it: OmegaConf merges mappings, so the entries of a default could never be left out.

    Args:
        parameters: A parameter class.
        as_changes: Every field may also be None, and is None by default.
    """
    hints = get_type_hints(parameters, include_extras=True)
    derived: list[tuple[str, Any, Any]] = []
    for one in fields(parameters):
        node = _node_type(hints[one.name])
        if as_changes:
            derived.append((one.name, node if node is Any else node | None, field(default=None)))
        else:
            derived.append((one.name, node, _default(one, node)))
    return make_dataclass(parameters.__name__, derived)


def _node_type(hint: Any) -> Any:
    """The type that OmegaConf checks; Any where it knows no such type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return derive_node(arguments[0], as_changes=CHANGES in arguments[1:])
    if hint in _PRIMITIVE or origin is Literal:
        return hint
    if hint is Path:
        return str
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return derive_node(hint)
    if origin in (Union, types.UnionType):
        parts = [_node_type(part) for part in arguments if part is not types.NoneType]
        is_checked = len(parts) == 1 or all(part in _PRIMITIVE for part in parts)
        if not is_checked or Any in parts:
            return Any
        return functools.reduce(operator.or_, [*parts, None] if types.NoneType in arguments else parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return types.GenericAlias(dict, (str, _node_type(arguments[1])))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        element = arguments[0] if arguments[0] in _PRIMITIVE else Any
        return types.GenericAlias(list, (element,))
    return Any


def _default(one: "Field[Any]", node: Any) -> Any:
    if is_dataclass(node):
        assert isinstance(node, type)
        return field(default_factory=node)
    if get_origin(node) is dict:
        return field(default_factory=dict)
    if get_origin(node) is list and one.default is not MISSING:
        return field(default_factory=functools.partial(list, one.default))
    return field(default=omegaconf.MISSING if one.default is MISSING else one.default)
