"""Crops that are put together before they are read: who asks for what, and which requests share a buffer."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.operations import Source

#: Two requests share one buffer if it is larger than the larger of them by no more than this factor.
_SHARED_GROWTH = 1.25


@dataclass(eq=False)
class Buffer:
    """Crops that are put together from the uncovered field's map and from what has been computed anew.

    Attributes:
        source: Channels.
        region: Where; it may reach over the map's border.
        fill: What lies there; None where the region does not reach so far.
        size: (height, width) of the map.
        ground: What the buffer holds at first: the uncovered map, the fill alone, or nothing that matters.
    """

    source: Source
    region: Region
    fill: float | None
    size: tuple[int, int]
    ground: Literal["map", "fill", "nothing"] = "map"

    @property
    def channels(self) -> int:
        """Number of channels."""
        return sum(map(len, self.source))


@dataclass(frozen=True, eq=False)
class View:
    """A rectangle of a buffer, the same for all windows, and its first channels."""

    buffer: int
    top: int
    left: int
    height: int
    width: int
    channels: int
    is_all: bool


@dataclass(frozen=True, eq=False)
class Direct:
    """The very crops that an operation produced."""

    producer: int


@dataclass(frozen=True, eq=False)
class Joint:
    """Crops of one size, channels after channels, that need not be copied together."""

    source: Source


@dataclass(frozen=True, eq=False)
class Request:
    """What somebody wants put together; the fields are those of `Buffer`."""

    source: Source
    region: Region
    fill: float | None
    size: tuple[int, int]


Input = View | Direct | Joint


def producers_read(given: Input) -> list[int]:
    """Producers whose crops are read as they are."""
    if isinstance(given, Joint):
        return [segment.producer for segment in given.source]
    return [given.producer] if isinstance(given, Direct) else []


def share_buffers(
    requests: Sequence[Request], regions: Mapping[int, Region]
) -> tuple[list[Buffer], dict[Request, View]]:
    """Give every request a view of a buffer; those that want the same pixels share one.

    Args:
        requests: In any order.
        regions: Where each producer's crops lie.
    """
    buffers: list[Buffer] = []
    members: dict[int, list[Request]] = defaultdict(list)
    # The longest list of channels first: shorter ones that begin alike read its first channels.
    for request in sorted(requests, key=lambda request: -sum(map(len, request.source))):
        fitting = (
            (n, joined) for n, each in enumerate(buffers) if (joined := _fits(request, each)) is not None
        )
        number, region = next(fitting, (len(buffers), request.region))
        if number == len(buffers):
            buffers.append(Buffer(request.source, region, request.fill, request.size))
        buffers[number].region = region
        if request.fill is not None:
            buffers[number].fill = request.fill
        members[number].append(request)
    views = {}
    for number, buffer in enumerate(buffers):
        buffer.ground = _ground(buffer, regions)
        for request in members[number]:
            offset = request.region.offset_from(buffer.region)
            assert offset is not None
            height, width = request.region.down.length, request.region.across.length
            channels = sum(map(len, request.source))
            is_all = channels == buffer.channels and height * width == buffer.region.area
            views[request] = View(number, *offset, height, width, channels, is_all)
    return buffers, views


def _fits(request: Request, buffer: Buffer) -> Region | None:
    """The buffer's region when it takes in the request, or None where they do not go together."""
    if request.size != buffer.size or not _begins_alike(request.source, buffer.source):
        return None
    if None not in (request.fill, buffer.fill) and request.fill != buffer.fill:
        return None
    joined = buffer.region.join(request.region)
    if joined is None or joined.area > _SHARED_GROWTH * max(buffer.region.area, request.region.area):
        return None
    return joined


def _begins_alike(short: Source, long: Source) -> bool:
    if not short or short[:-1] != long[: len(short) - 1] or len(short) > len(long):
        return False
    last, other = short[-1], long[len(short) - 1]
    return (last.producer, last.start) == (other.producer, other.start) and last.stop <= other.stop


def _ground(buffer: Buffer, regions: Mapping[int, Region]) -> Literal["map", "fill", "nothing"]:
    if all(buffer.region.within(regions[segment.producer], buffer.size) for segment in buffer.source):
        return "nothing" if buffer.fill is None else "fill"
    return "map"
