"""Text of manifests and settings in files that other programs interpret: spreadsheets, Markdown and LaTeX."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from mds_lightning.cohort.formula_cells import disarm_formula
from mds_lightning.cohort.visible_text import show_invisible

_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_<>|#~"})
_BRACKETS = str.maketrans({mark: f"\\{mark}" for mark in "[]"})
#: Brackets of a link: `[text](address)`, `[text][name]` and `[name]: address`.
_LINK = re.compile(r"\][\[(:]")
#: Starts of an item of a list: `- ` and `1. `.
_ITEM = re.compile(r"^(\s*\d*)([-+.)])(?=\s)")
_LATEX = str.maketrans(
    {mark: f"\\{mark}" for mark in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
)


def escape_markdown(text: str) -> str:
    """`text` as Markdown that shows it, in a paragraph or in a cell of a table."""
    escaped = _ITEM.sub(r"\1\\\2", show_invisible(text).translate(_MARKDOWN))
    return escaped.translate(_BRACKETS) if _LINK.search(text) else escaped


def escape_latex(text: str) -> str:
    """`text` as LaTeX that shows it."""
    return show_invisible(text).translate(_LATEX)


def disarm_table(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with text cells and names of columns that no spreadsheet evaluates; numbers are unchanged."""
    return map_text(table, disarm_formula)


def map_text(table: pd.DataFrame, function: Callable[[str], str]) -> pd.DataFrame:
    """`table` with `function` of the cells and names of columns that are text; the others are unchanged."""

    def apply(cell: Any) -> Any:
        return function(cell) if isinstance(cell, str) else cell

    columns = {
        place: column if pd.api.types.is_numeric_dtype(column) else column.map(apply)
        for place, (_, column) in enumerate(table.items())
    }
    return pd.DataFrame(columns, index=table.index).set_axis([apply(name) for name in table], axis=1)
