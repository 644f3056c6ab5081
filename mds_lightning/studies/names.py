"""Names of studies and variants, which are names of folders."""

import unicodedata
from pathlib import PurePosixPath
from typing import Literal

from mds_lightning.cohort.visible_text import show_invisible

#: Characters besides letters (of any script), digits and spaces between them.
_OTHERS = "._-+"
#: Longest name, bytes: file systems allow 255, and lock files add to it.
_MOST_BYTES = 200
#: Starts of the names of other folders of a study, and the name of the folder of its tables.
_STARTS = ("fold-", "seed-", "trial-")
_FOLDERS = ("evaluation",)


def refuse_unusable_name(key: Literal["study", "variant"], name: str, runs: str = "runs") -> None:
    """Raise if a study or a variant cannot be called `name`.

    A name is one folder, of letters, digits, `.`, `_`, `-`, `+` and inner spaces; it starts with a letter, a
    digit or `_`. A variant is not called as other folders of a study are: `fold-...`, `seed-...`, `trial-...`
    (the trials of a search) or `evaluation`.

    Args:
        key: Which of the two is named.
        name: The name.
        runs: The setting `paths.runs`, for the advice.

    Raises:
        ValueError: With the reason and a name that can be used.
    """
    reason = _find_fault(name)
    if reason is None and key == "variant" and (name.startswith(_STARTS) or name in _FOLDERS):
        others = ", ".join([*(f"{start}*" for start in _STARTS), *_FOLDERS])
        reason = f"folders of a study that are called {others} have other contents"
    if reason is None:
        return
    advice = f"give {key}={_propose(key, name)}, for example"
    if key == "study" and "/" in name.strip("/"):
        parts = PurePosixPath(name.strip("/")).parts
        folder = PurePosixPath(runs, *(_propose(key, part) for part in parts[:-1]))
        advice = f"give paths.runs={folder} study={_propose(key, parts[-1])}, for example"
    raise ValueError(f"{key}={show_invisible(name)}: {reason}; {advice}")


def _find_fault(name: str) -> str | None:
    if "/" in name or "\\" in name:
        return "a name is one folder, without / and \\"
    wrong = sorted({character for character in name if not _is_usable(character)})
    if wrong:
        return f"a name has letters, digits and {' '.join(_OTHERS)}, not {show_invisible(' '.join(wrong))}"
    if not name or name != name.strip() or name[0] in ".-+":
        return "a name starts with a letter, a digit or _, and does not end in a space"
    if len(name.encode()) > _MOST_BYTES:
        return f"a name has up to {_MOST_BYTES} bytes"
    return None


def _is_usable(character: str) -> bool:
    return character in _OTHERS or character == " " or unicodedata.category(character)[0] in "LMN"


def _propose(key: str, name: str) -> str:
    """A usable name that resembles `name`."""
    kept = "".join(character if _is_usable(character) and character != " " else "_" for character in name)
    kept = kept.lstrip(".-+")
    while key == "variant" and kept.startswith(_STARTS):
        kept = kept.partition("-")[2]
    kept = kept.encode()[:_MOST_BYTES].decode(errors="ignore")
    usable = kept.strip("_") and kept not in _FOLDERS
    return kept if usable else f"my_{key}"
