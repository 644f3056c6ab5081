"""The part of every map that a window changes, on one axis at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mds_lightning.explain.incremental.program.operations import Source
from mds_lightning.explain.incremental.program.program import INPUT, Program
from mds_lightning.explain.incremental.program.receptive_field import Integers, ReceptiveField
from mds_lightning.explain.windows import Interval


@dataclass(frozen=True, eq=False)
class Extent:
    """Intervals of equal length on one axis of a map, one for each window of a group.

    Attributes:
        starts: First pixel for every window; negative where the interval begins in the padding.
        length: Pixels.
    """

    starts: Integers
    length: int

    def offset_from(self, other: "Extent") -> int | None:
        """Distance from the start of `other` to that of this, or None if it differs between windows."""
        difference = self.starts - other.starts
        return int(difference[0]) if (difference == difference[0]).all() else None

    def needed_by(self, receptive_field: ReceptiveField) -> "Extent":
        """The extent of the input that has to be read to compute this one."""
        return Extent(*receptive_field.needs(self.starts, self.length))

    def within(self, other: "Extent", limit: int) -> bool:
        """Whether `other` contains this, apart from pixels outside a map of `limit` pixels."""
        first = np.maximum(self.starts, 0)
        last = np.minimum(self.starts + self.length, limit)
        return bool(((other.starts <= first) & (other.starts + other.length >= last)).all())

    def overhang(self, limit: int) -> tuple[int, int]:
        """Largest number of pixels that an interval extends beyond each end of a map of `limit` pixels."""
        return max(0, -int(self.starts.min())), max(0, int(self.starts.max()) + self.length - limit)

    def is_whole(self, limit: int) -> bool:
        """Whether every interval is the whole axis."""
        return self.length == limit and not self.starts.any()


@dataclass(frozen=True, eq=False)
class Changes:
    """Pixels [starts, stops) on one axis that change, for each map (row) and window (column)."""

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
        receptive_field, limit = operation.receptive_field[axis], operation.shape[1 + axis]
        parts = [_hull(changed, source) for source in operation.inputs]
        moved = [receptive_field.changes(*parts[0], limit), *parts[1:]]
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
    """Give some windows extents of one length in every map, at fixed distances from each other.

    Args:
        changes: The exact regions.
        frames: For each map the number of its frame. Maps of one size share a frame, in which the
            distances are the same for all windows, so that crops of different maps can be aligned.
        windows: Which of the windows; at least one.

    Returns:
        For each map extents that contain the changes of every window and lie inside the map.
    """
    starts, stops = changes.starts[:, windows], changes.stops[:, windows]
    extents = {}
    numbers = list(changes.places)
    for frame in np.unique(frames):
        members = np.flatnonzero(frames == frame)
        low, high = starts[members].min(0), stops[members].max(0)
        longest = (high - low).max()
        # Near the far border an interval of the common length begins earlier, so that it ends inside.
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
