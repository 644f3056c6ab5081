"""Helpers for writing Markdown."""

import re
from collections.abc import Sequence

_CODE = re.compile(r"(`+[^`]+`+)")
_SPECIAL = re.compile(r"([\\*_<>\[\]|$~])")


def escape(text: str) -> str:
    """Escape characters that Markdown interprets, except in `code`."""
    pieces = _CODE.split(text)
    # The pieces at odd positions are code.
    return "".join(piece if k % 2 else _SPECIAL.sub(r"\\\1", piece) for k, piece in enumerate(pieces))


def code(text: str) -> str:
    """Format as code; empty text stays empty."""
    return f"`{text}`" if text else ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table; cells are Markdown and a pipe in them is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(_escape_pipes, line))} |\n" for line in lines)


def _escape_pipes(cell: str) -> str:
    return re.sub(r"(?<!\\)[|]", r"\|", cell)
