"""Text as the value of an override in Hydra's grammar."""

from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException


def quote_text(text: str) -> str:
    """`text` in quotes, so that every character of it stands for itself."""
    return QuotedString(text=text, quote=Quote.single).with_quotes()


def parse_override(text: str) -> Override | None:
    """An override such as `study=demo`; None if Hydra's grammar has no such override."""
    try:
        return _parser().parse_override(text)
    except HydraException:
        return None


def write_override(name: str, value: Any) -> str:
    """The override `name=value`, with quotes around text that has no meaning in the grammar."""
    text = f"{name}={value}"
    if isinstance(value, str) and parse_override(text) is None:
        return f"{name}={quote_text(value)}"
    return text


@cache
def _parser() -> OverridesParser:
    return OverridesParser.create()
