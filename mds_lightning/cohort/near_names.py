"""What may have been meant by the name of a file that is not there."""

from difflib import get_close_matches
from functools import cache
from pathlib import Path

#: Near names are looked for at the first so many absences, and in folders of at most so many files.
_MOST_SEARCHES, _MOST_NAMES = 50, 20_000


class NearNames:
    """Names on disk that are near to an absent one; `absent` counts how many were asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.absent = 0
        self._names = cache(self._list)

    def near(self, name: str) -> str:
        """A remark that follows the complaint, such as `: did you mean 'a.png'?`."""
        self.absent += 1
        if "\\" in name and (self.root / name.replace("\\", "/")).exists():
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

    def _list(self, folder: str) -> dict[str, str] | None:
        try:
            entries = sorted((self.root / folder).iterdir())
            return {entry.stem.casefold(): entry.name for entry in entries}
        except (OSError, ValueError):
            return None
