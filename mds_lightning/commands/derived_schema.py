"""Hydra's structured nodes, derived from the parameter classes.

A parameter class is a frozen dataclass next to the code that uses it. It is the only place where a key's
name, type, default and documentation are written (see `key_documentation`).
"""

import functools
import importlib
import operator
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, is_dataclass, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import omegaconf

#: Annotates a field whose own fields are all optional: null keeps the value of a finished run.
CHANGES = "changes"

#: Between the parts of a derived class's qualified name; pickle takes a dot for an attribute of an attribute.
_SEPARATOR = ":"
_PRIMITIVE = (int, float, str, bool)


def derive_node(parameters: type, as_changes: bool = False) -> type:
    """Return a dataclass that OmegaConf turns into a type-checked node with the fields of `parameters`.

    A field without a default is required (`???`). A `Literal` is a checked choice. A mapping is empty unless
    YAML fills it: OmegaConf merges mappings, so the entries of a default could never be left out.

    Args:
        parameters: A parameter class.
        as_changes: Every field may also be None, and is None by default.
    """
    return _derive_once(parameters, as_changes)


@functools.cache
def _derive_once(parameters: type, as_changes: bool) -> type:
    hints = get_type_hints(parameters, include_extras=True)
    derived: list[tuple[str, Any, Any]] = []
    for one in fields(parameters):
        node = _node_type(hints[one.name])
        if as_changes:
            derived.append((one.name, node if node is Any else node | None, field(default=None)))
        else:
            derived.append((one.name, node, _default(one, node)))
    node = make_dataclass(parameters.__name__, derived)
    # A launcher pickles Hydra's schemas for other processes, which find the class by name (`__getattr__`). A
    # copy would hold another object than `dataclasses.MISSING`, which is compared by identity.
    node.__module__ = __name__
    names = (*parameters.__module__.split("."), parameters.__qualname__, *([CHANGES] if as_changes else []))
    node.__qualname__ = _SEPARATOR.join(names)
    return node


def __getattr__(name: str) -> type:
    """The derived class with this qualified name, derived in a process that does not have it yet."""
    module, *rest = name.rsplit(_SEPARATOR, 2 if name.endswith(f"{_SEPARATOR}{CHANGES}") else 1)
    if not rest:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    parameters = getattr(importlib.import_module(module.replace(_SEPARATOR, ".")), rest[0])
    return derive_node(parameters, as_changes=len(rest) == 2)


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
