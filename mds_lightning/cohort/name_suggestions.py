"""What may have been meant by the name of a file that is not there."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath

#: Near names are looked for at the first so many absences, and in folders of at most so many files.
_MOST_SEARCHES, _MOST_NAMES = 50, 20_000


class NearNames:
    """Names in a folder that are near to an absent one; `absent` counts how many were asked for.

    Args:
        list_names: Folder below the root ('' for itself) to the names in it, sorted. It raises OSError or
            ValueError where there is no such folder.
    """

    def __init__(self, list_names: Callable[[str], Iterable[str]]) -> None:
        self.absent = 0
        self._list_names = list_names
        self._names = cache(self._list)

    def near(self, name: str) -> str:
        """A remark that follows the complaint, such as `: did you mean 'a.png'?`."""
        self.absent += 1
        if "\\" in name and self._exists(name.replace("\\", "/")):
            return ": write / instead of \\ in paths"
        folder, _, last = name.rpartition("/")
        names = self._names(folder)
        if names is None:
            return f": there is no folder '{folder}'"
        stem = Path(last).stem.casefold()
        match = names.get(stem)
        if match is None and self.absent <= _MOST_SEARCHES and len(names) <= _MOST_NAMES:
            close = get_close_matches(stem, names, n=1, cutoff=0.8)
            match = names[close[0]] if close else None
        if match is None:
            return ": restore the file, or remove the row"
        return f": did you mean '{folder}/{match}'?" if folder else f": did you mean '{match}'?"

    def _exists(self, name: str) -> bool:
        folder, _, last = name.rpartition("/")
        names = self._names(folder)
        return names is not None and last in names.values()

    def _list(self, folder: str) -> dict[str, str] | None:
        try:
            return {PurePosixPath(name).stem.casefold(): name for name in self._list_names(folder)}
        except (OSError, ValueError):
            return None
