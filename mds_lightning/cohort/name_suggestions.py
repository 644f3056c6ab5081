"""Suggestions for misspelt names of files."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath

#: Similar names are searched for the first missing files only, and in folders of limited size.
_MAX_SEARCHES, _MAX_NAMES = 50, 20_000


class NameSuggestions:
    """Suggests existing names that are similar to a missing one.

    Args:
        list_names: Returns the sorted names in a folder below the root ('' for the root itself); raises
            OSError or ValueError if there is no such folder.

    Attributes:
        absent: Number of missing names so far.
    """

    def __init__(self, list_names: Callable[[str], Iterable[str]]) -> None:
        self.absent = 0
        self._list_names = list_names
        self._names = cache(self._list)

    def explain(self, name: str) -> tuple[str, str]:
        """Text to append to the finding ('' or the reason), and the remedy, for a missing file."""
        self.absent += 1
        if "\\" in name and self._exists(name.replace("\\", "/")):
            return "", "write / instead of \\ in paths"
        folder, _, last = name.rpartition("/")
        names = self._names(folder)
        if names is None:
            return f", there is no folder '{folder}'", "correct the path, or set cohort.root"
        stem = Path(last).stem.casefold()
        match = names.get(stem)
        if match is None and self.absent <= _MAX_SEARCHES and len(names) <= _MAX_NAMES:
            close = get_close_matches(stem, names, n=1, cutoff=0.8)
            match = names[close[0]] if close else None
        if match is None:
            return "", "restore the file, or remove the row"
        return "", f"did you mean '{folder}/{match}'?" if folder else f"did you mean '{match}'?"

    def _exists(self, name: str) -> bool:
        folder, _, last = name.rpartition("/")
        names = self._names(folder)
        return names is not None and last in names.values()

    def _list(self, folder: str) -> dict[str, str] | None:
        try:
            return {PurePosixPath(name).stem.casefold(): name for name in self._list_names(folder)}
        except (OSError, ValueError):
            return None
