"""Rectangles of a map, one for each window of a group."""

from collections.abc import Sequence
from dataclasses import dataclass

from mds_lightning.explain.incremental.plan.extents import Extent
from mds_lightning.explain.incremental.program.receptive_field import ReceptiveField


@dataclass(frozen=True, eq=False)
class Region:
    """A rectangle of a map for every window of a group; rows and columns of windows share extents."""

    down: Extent
    across: Extent

    @property
    def area(self) -> int:
        """Pixels."""
        return self.down.length * self.across.length

    def needed_by(self, receptive_field: tuple[ReceptiveField, ReceptiveField]) -> "Region":
        """The region of the input that has to be read to compute this one."""
        return Region(self.down.needed_by(receptive_field[0]), self.across.needed_by(receptive_field[1]))

    def within(self, other: "Region", size: Sequence[int]) -> bool:
        """Whether `other` contains this, apart from pixels outside a map of (height, width)."""
        return self.down.within(other.down, size[0]) and self.across.within(other.across, size[1])

    def overhangs(self, size: Sequence[int]) -> bool:
        """Whether some rectangle extends beyond the border of a map of (height, width)."""
        return any((*self.down.overhang(size[0]), *self.across.overhang(size[1])))

    def is_whole(self, size: Sequence[int]) -> bool:
        """Whether this is the whole map for every window."""
        return self.down.is_whole(size[0]) and self.across.is_whole(size[1])

    def offset_from(self, other: "Region") -> tuple[int, int] | None:
        """Vertical and horizontal distance from `other`, or None if it differs between windows."""
        down, across = self.down.offset_from(other.down), self.across.offset_from(other.across)
        return None if down is None or across is None else (down, across)

    def equals(self, other: "Region") -> bool:
        """Whether both have the same rectangles."""
        same_size = (self.down.length, self.across.length) == (other.down.length, other.across.length)
        return same_size and self.offset_from(other) == (0, 0)

    def join(self, other: "Region") -> "Region | None":
        """The smallest region at a fixed distance from both that contains them, or None."""
        offset = other.offset_from(self)
        if offset is None:
            return None
        return Region(_join(self.down, other.down, offset[0]), _join(self.across, other.across, offset[1]))


def _join(first: Extent, second: Extent, offset: int) -> Extent:
    begin, end = min(0, offset), max(first.length, offset + second.length)
    return Extent(first.starts + begin, end - begin)
