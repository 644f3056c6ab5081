"""Which part of every map a set of windows changes, on one axis at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mds_lightning.explain.incremental.program.operations import Source
from mds_lightning.explain.incremental.program.program import INPUT, Program
from mds_lightning.explain.incremental.program.receptive_field import Integers, Reach
from mds_lightning.explain.windows import Interval


@dataclass(frozen=True, eq=False)
class Extent:
    """Equally long pieces of one axis of a map, one for each of some windows.

    Attributes:
        starts: First pixel, window by window; below 0 where the piece begins in the padding.
        length: Pixels.
    """

    starts: Integers
    length: int

    def offset_from(self, other: "Extent") -> int | None:
        """How far this begins after `other`, if that is the same for all windows."""
        difference = self.starts - other.starts
        return int(difference[0]) if (difference == difference[0]).all() else None

    def needed_by(self, reach: Reach) -> "Extent":
        """What has to be read to compute this."""
        return Extent(*reach.needs(self.starts, self.length))

    def within(self, other: "Extent", limit: int) -> bool:
        """Whether `other` holds all of this that lies inside a map of `limit` pixels."""
        first = np.maximum(self.starts, 0)
        last = np.minimum(self.starts + self.length, limit)
        return bool(((other.starts <= first) & (other.starts + other.length >= last)).all())

    def overhang(self, limit: int) -> tuple[int, int]:
        """How far the pieces reach over both ends of a map of `limit` pixels, at most."""
        return max(0, -int(self.starts.min())), max(0, int(self.starts.max()) + self.length - limit)

    def is_whole(self, limit: int) -> bool:
        """Whether every piece is the whole axis."""
        return self.length == limit and not self.starts.any()


@dataclass(frozen=True, eq=False)
class Changes:
    """The exact changes on one axis: for each map (row) and window (column) the pixels [starts, stops)."""

    starts: Integers
    stops: Integers
    limits: Integers
    places: Mapping[int, int]

    @property
    def lengths(self) -> Integers:
        """Changed pixels, (maps, windows)."""
        return self.stops - self.starts


def find_changes(program: Program, axis: int, windows: Sequence[Interval]) -> Changes:
    """Follow the windows of one axis (0 vertical, 1 horizontal) through the program.

    Returns:
        One row for the input and each operation's output, in the order of the program.
    """
    first, last = (np.array([window[end] for window in windows]) for end in (0, 1))
    changed = {INPUT: (first, last)}
    for operation in program.operations:
        reach, limit = operation.reach[axis], operation.shape[1 + axis]
        parts = [_hull(changed, source) for source in operation.inputs]
        moved = [reach.changes(*parts[0], limit), *parts[1:]]
        changed[operation.output] = (
            np.min([start for start, _ in moved], 0), np.max([stop for _, stop in moved], 0)
        )  # fmt: skip
    return Changes(
        starts=np.stack([start for start, _ in changed.values()]),
        stops=np.stack([stop for _, stop in changed.values()]),
        limits=np.array([program.shapes[number][1 + axis] for number in changed]),
        places={number: place for place, number in enumerate(changed)},
    )


def _hull(changed: Mapping[int, tuple[Integers, Integers]], source: Source) -> tuple[Integers, Integers]:
    producers = {segment.producer for segment in source}
    starts, stops = zip(*(changed[producer] for producer in producers), strict=True)
    return np.min(starts, 0), np.max(stops, 0)


def share_extents(changes: Changes, frames: Integers, windows: Integers) -> dict[int, Extent]:
    """Give some windows equally long regions of every map, at the same distances from each other.

    Args:
        changes: The exact regions.
        frames: For each map the number of its frame: maps of one size have one frame, in which the distances
            are the same for all windows, so that crops of them fit on each other.
        windows: Which of the windows; at least one.

    Returns:
        For each map regions that hold the changes of every window, all inside the map.
    """
    starts, stops = changes.starts[:, windows], changes.stops[:, windows]
    extents = {}
    numbers = list(changes.places)
    for frame in np.unique(frames):
        members = np.flatnonzero(frames == frame)
        low, high = starts[members].min(0), stops[members].max(0)
        longest = (high - low).max()
        # Near the far border a piece of common length begins earlier, so that it ends inside.
        anchor = np.minimum(low, changes.limits[members[0]] - longest)
        begin, end = (starts[members] - anchor).min(1), (stops[members] - anchor).max(1)
        for member, first, last in zip(members, begin, end, strict=True):
            extents[numbers[member]] = Extent(anchor + first, int(last - first))
    return extents


def number_frames(program: Program, changes: Changes) -> Integers:
    """The same number for maps of the same height and width."""
    seen: dict[tuple[int, int], int] = {}
    sizes = [program.shapes[number][1:] for number in changes.places]
    return np.array([seen.setdefault(size, len(seen)) for size in sizes])
