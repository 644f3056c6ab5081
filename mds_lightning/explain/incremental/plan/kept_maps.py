"""Which maps of the uncovered field are kept, because crops are cut from them."""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.explain.incremental.plan.crop_buffers import Buffer
from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.operations import Source

#: Channels of a map, and the value that it is padded with; None where no crop extends beyond its border.
MapKey = tuple[Source, float | None]


@dataclass(frozen=True)
class Border:
    """Pixels that a map is padded with on each side, so that crops may extend beyond its border."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def join(self, region: Region, size: tuple[int, int]) -> "Border":
        """The border that is also wide enough for a region."""
        top, bottom = region.down.overhang(size[0])
        left, right = region.across.overhang(size[1])
        return Border(
            max(top, self.top), max(bottom, self.bottom), max(left, self.left), max(right, self.right)
        )


def find_kept_maps(buffers: Iterable[Buffer]) -> dict[MapKey, Border]:
    """The maps that crops are cut from, and how far crops extend beyond their borders."""
    kept_maps: dict[MapKey, Border] = {}
    for buffer in buffers:
        if buffer.initial == "map":
            key = (buffer.source, buffer.fill)
            kept_maps[key] = kept_maps.get(key, Border()).join(buffer.region, buffer.size)
    return kept_maps
