"""Values of text keys as they are typed: quotes for Hydra's grammar are added where they are needed.

Hydra reads a value as a small language, in which `~`, `=`, brackets, quotes and letters such as `ä` are no
text, a comma separates the values of a sweep, and `1e3` or `null` is not the text that was typed.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra.core.override_parser.types import QuotedString

from mds_lightning.commands.key_documentation import Key, list_keys
from mds_lightning.search.override_text import parse_override, quote_text

#: Text keys of which a sweep may try several values; in the others a comma is part of the text.
_SWEPT = ("backbone.name", "explain.method")
_OVERRIDE = re.compile(r"(?P<sign>\+{0,2})(?P<key>[^=~+\-][^=]*)=(?P<value>.*)", re.DOTALL)
#: Elements of a list: in quotes, or up to the next comma.
_ELEMENT = re.compile(r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]*?)\s*(?:,|$)""", re.DOTALL)


def quote_text_values(overrides: Sequence[str], parameters: type) -> list[str]:
    """The overrides with text values in quotes where Hydra would misread them; the others are unchanged.

    `~` at the start of a text value is the home folder.

    Args:
        overrides: As typed: overrides, and options of Hydra.
        parameters: Parameter class of the verb, whose keys have types.

    Raises:
        ValueError: The value of another key has no meaning in Hydra's grammar; the message shows how to
            write it.
    """
    keys = {key.name: key for key in list_keys(parameters)}
    return [_quote(override, keys) for override in overrides]


def _quote(override: str, keys: Mapping[str, Key]) -> str:
    match = _OVERRIDE.fullmatch(override)
    if match is None:
        return override
    start, value = f"{match['sign']}{match['key']}=", match["value"]
    key = keys.get(match["key"])
    accepted = [] if key is None else key.type.split("|")
    if key is not None and key.elements == "str" and value.startswith("[") and value.endswith("]"):
        value = _quote_elements(value)
    elif "str" in accepted:
        value = _quote_value(_expand_home(value), match["key"], accepted)
    if parse_override(start + value) is None:
        raise ValueError(_explain(match["key"], start, value))
    return start + value


def _quote_value(value: str, key: str, accepted: Sequence[str]) -> str:
    if not value:
        return value
    parsed = parse_override(f"{key}={value}")
    if parsed is None:
        return quote_text(value)
    if parsed.is_sweep_override():
        is_meant = key in _SWEPT or not parsed.is_choice_sweep() or not _is_simple(parsed.value())
        return value if is_meant else quote_text(value)
    read = parsed.value()
    is_null, is_number = read is None and "null" in accepted, isinstance(read, int) and "int" in accepted
    is_list = isinstance(read, list) and "list" in accepted
    return value if isinstance(read, str) or is_null or is_number or is_list else quote_text(value)


def _expand_home(value: str) -> str:
    return f"{Path.home()}{value[1:]}" if value == "~" or value.startswith("~/") else value


def _is_simple(sweep: object) -> bool:
    """Whether a sweep is written `a,b` and not `choice(a,b)`."""
    return bool(getattr(sweep, "simple_form", False))


def _quote_elements(value: str) -> str:
    """`[a,b]` with quotes around the elements that are no text otherwise."""
    inner = value[1:-1]
    if not inner.strip():
        return value
    elements = [found[1] for found in _ELEMENT.finditer(inner) if found[0]]
    return f"[{','.join(map(_quote_element, elements))}]"


def _quote_element(element: str) -> str:
    parsed = parse_override(f"key={element}") if element else None
    is_text = parsed is not None and isinstance(parsed._value, str | QuotedString)
    return element if is_text else quote_text(element)


def _explain(key: str, start: str, value: str) -> str:
    written = shlex.quote(start + quote_text(value))
    return (
        f"the value of {key} cannot be read: {value}\n"
        f"If it is text, quote it twice, for the shell and for Hydra:\n  {written}\n"
        "Without quotes, , = ~ ' \" \\ ( ) [ ] { } have a meaning of their own, and letters such as ä are "
        "refused."
    )
