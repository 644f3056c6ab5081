"""Strict reading of JSON files with known keys."""

import json
import math
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from mds_lightning.cohort.damaged_file import DamagedFileError, reading

#: Names of types in messages.
_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    types.NoneType: "null",
    list: "a list",
    dict: "an object",
}


def read_json_record(path: Path, fields: type, remedy: str, content: bytes | None = None) -> dict[str, Any]:
    """Read a JSON object and check the types of its known keys.

    Args:
        path: The file.
        fields: A `TypedDict` of the known keys. Other keys are accepted: later versions may add some.
        remedy: What the user can do if the file is damaged.
        content: Content of the file, if it was read before.

    Raises:
        DamagedFileError: It is not UTF-8 or not JSON, has a key twice, is no object, lacks a required key, or
            a value has another type. NaN is a number; infinity is not.
    """
    content = path.read_bytes() if content is None else content
    with reading(path, remedy):
        record = json.loads(content.decode("utf-8"), object_pairs_hook=refuse_repeated_keys)
    refuse_wrong_types(record, fields, path, remedy)
    return dict(record)


def refuse_repeated_keys(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """The pairs as a dictionary, for `json.loads(object_pairs_hook=...)`.

    Raises:
        ValueError: A key occurs twice. Readers that take the last value would disagree with others.
    """
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} occurs twice")
        found[key] = value
    return found


def refuse_wrong_types(record: Any, fields: type, path: Path, remedy: str) -> None:
    """Raise unless `record` is a mapping with the types of the `TypedDict` `fields`.

    Raises:
        DamagedFileError: With the key.
    """
    fault = find_fault(record, fields)
    if fault is not None:
        raise DamagedFileError(f"{path} is damaged ({fault})", remedy)


def find_fault(value: Any, kind: Any, key: str = "") -> str | None:
    """What is wrong with the types in a value that was read from JSON; None if nothing is.

    Args:
        value: The value.
        kind: The expected type: a `TypedDict`, a list, a dictionary, a union or a plain type.
        key: Name of the value in the message.
    """
    if kind is Any:
        return None
    if is_typeddict(kind):
        return _find_object_fault(value, kind, key)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        faults = [find_fault(value, one, key) for one in get_args(kind)]
        return None if None in faults else faults[0]
    if origin is Literal:
        return None if value in get_args(kind) else f"{_named(key)} is {value!r:.80}"
    if not _is_instance(value, origin or kind):
        return f"{_named(key)} is not {_NAMES[origin or kind]}"
    if origin is list:
        parts = ((f"{key}[{place}]", one) for place, one in enumerate(value))
        return next(filter(None, (find_fault(one, get_args(kind)[0], name) for name, one in parts)), None)
    if origin is dict:
        values = ((_join(key, name), one) for name, one in value.items())
        return next(filter(None, (find_fault(one, get_args(kind)[1], name) for name, one in values)), None)
    return None


def _find_object_fault(value: Any, kind: Any, key: str) -> str | None:
    if not isinstance(value, Mapping):
        return f"{_named(key)} is not an object with keys"
    for name in sorted(kind.__required_keys__):
        if name not in value:
            return f"{_named(_join(key, name))} is missing"
    hints = get_type_hints(kind)
    parts = ((name, one) for name, one in value.items() if name in hints)
    return next(filter(None, (find_fault(one, hints[name], _join(key, name)) for name, one in parts)), None)


def _is_instance(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and not _is_huge(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and not _is_huge(value)
    return isinstance(value, kind)


def _is_huge(value: float) -> bool:
    return abs(value) >= 2**63 if isinstance(value, int) else math.isinf(value)


def _join(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def _named(key: str) -> str:
    return f"the key {key}" if key else "the content"
