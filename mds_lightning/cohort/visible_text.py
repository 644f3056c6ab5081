"""Characters that are not visible, and their replacement in messages."""

import unicodedata

#: Fillers and joiners whose category is that of letters or marks.
_BLANK_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
#: Control characters, and format characters such as zero-width spaces, soft hyphens and direction marks.
_INVISIBLE = ("Cc", "Cf")


def is_invisible(character: str) -> bool:
    """Whether a character is not drawn: control and zero-width characters, soft hyphens, direction marks."""
    return (
        unicodedata.category(character) in _INVISIBLE
        or character in _BLANK_LETTERS
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def show_invisible(text: str) -> str:
    r"""`text` with invisible characters and blanks other than the space as escapes such as `\u200b`."""
    return "".join(
        ascii(character)[1:-1] if is_invisible(character) or _is_odd_blank(character) else character
        for character in text
    )


def show_lines(text: str) -> str:
    """As `show_invisible`, but line ends and tabs are kept: for messages and whole outputs."""
    return "".join(character if character in "\n\t" else show_invisible(character) for character in text)


def _is_odd_blank(character: str) -> bool:
    return character != " " and unicodedata.category(character) in ("Zs", "Zl", "Zp")
