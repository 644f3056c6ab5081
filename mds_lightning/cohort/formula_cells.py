"""Text cells of CSV files that a spreadsheet would take for formulas."""

import re

#: First characters of a formula, as listed by OWASP ("CSV injection"); some are also written in full width.
_START = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
#: A number, which may have an interval: -0.02 or -0.02 [-0.05, 0.01].
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?%?( \[[\w.,+\- ]*\])?", re.IGNORECASE)


def disarm_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would evaluate.

    Numbers are unchanged. A text that starts with apostrophes before such a character gets one more, so that
    `restore_formula` returns every text.
    """
    return f"'{text}" if _START.match(text) and not _NUMBER.fullmatch(text) else text


def restore_formula(text: str) -> str:
    """The text from which `disarm_formula` made `text`."""
    return text[1:] if text.startswith("'") and _START.match(text) else text
