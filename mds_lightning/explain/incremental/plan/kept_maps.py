"""Which maps of the uncovered field are kept, because crops are cut from them."""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.explain.incremental.plan.crop_buffers import Buffer
from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.operations import Source

PoolKey = tuple[Source, float | None]


@dataclass(frozen=True)
class Border:
    """Pixels that a map is padded with on each side, so that crops may reach over its border."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def join(self, region: Region, size: tuple[int, int]) -> "Border":
        """Wide enough for a region too."""
        top, bottom = region.down.overhang(size[0])
        left, right = region.across.overhang(size[1])
        return Border(
            max(top, self.top), max(bottom, self.bottom), max(left, self.left), max(right, self.right)
        )


def find_pools(buffers: Iterable[Buffer]) -> dict[PoolKey, Border]:
    """The maps that are kept for crops, and how far these reach over the border."""
    pools: dict[PoolKey, Border] = {}
    for buffer in buffers:
        if buffer.ground == "map":
            key = (buffer.source, buffer.fill)
            pools[key] = pools.get(key, Border()).join(buffer.region, buffer.size)
    return pools
