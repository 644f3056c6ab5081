"""Buffers in which crops are assembled before an operation reads them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.operations import Source

#: Requests share a buffer if its area is at most this factor of the largest request's.
_MAX_GROWTH = 1.25


@dataclass(eq=False)
class Buffer:
    """Crops assembled from the map of the uncovered field and from recomputed pixels.

    Attributes:
        source: Channels.
        region: Region of the map; it may extend beyond the border.
        fill: Value outside the map; None where the region does not extend beyond the border.
        size: (height, width) of the map.
        initial: Content before recomputed pixels are pasted: the uncovered map, the fill value, or nothing.
    """

    source: Source
    region: Region
    fill: float | None
    size: tuple[int, int]
    initial: Literal["map", "fill", "nothing"] = "map"

    @property
    def channels(self) -> int:
        """Number of channels."""
        return sum(map(len, self.source))


@dataclass(frozen=True, eq=False)
class View:
    """A rectangle of a buffer, the same for all windows, of its first channels."""

    buffer: int
    top: int
    left: int
    height: int
    width: int
    channels: int
    is_all: bool


@dataclass(frozen=True, eq=False)
class Direct:
    """The crops that an operation produced, without a copy."""

    producer: int


@dataclass(frozen=True, eq=False)
class Joint:
    """Crops of one size whose channels are read one after the other, without a concatenation."""

    source: Source


@dataclass(frozen=True, eq=False)
class Request:
    """Crops that an operation reads; the fields are those of `Buffer`."""

    source: Source
    region: Region
    fill: float | None
    size: tuple[int, int]


Input = View | Direct | Joint


def producers_read(given: Input) -> list[int]:
    """Producers whose crops are read without a copy."""
    if isinstance(given, Joint):
        return [segment.producer for segment in given.source]
    return [given.producer] if isinstance(given, Direct) else []


def share_buffers(
    requests: Sequence[Request], regions: Mapping[int, Region]
) -> tuple[list[Buffer], dict[Request, View]]:
    """Assign every request a view of a buffer; requests for the same pixels share a buffer.

    Args:
        requests: In any order.
        regions: Where each producer's crops lie.
    """
    buffers: list[Buffer] = []
    members: dict[int, list[Request]] = defaultdict(list)
    # The longest list of channels first: shorter ones with the same beginning read its first channels.
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
        buffer.initial = _initial_content(buffer, regions)
        for request in members[number]:
            offset = request.region.offset_from(buffer.region)
            assert offset is not None
            height, width = request.region.down.length, request.region.across.length
            channels = sum(map(len, request.source))
            is_all = channels == buffer.channels and height * width == buffer.region.area
            views[request] = View(number, *offset, height, width, channels, is_all)
    return buffers, views


def _fits(request: Request, buffer: Buffer) -> Region | None:
    """The buffer's region with the request included, or None where they cannot share a buffer."""
    if request.size != buffer.size or not _is_prefix(request.source, buffer.source):
        return None
    if None not in (request.fill, buffer.fill) and request.fill != buffer.fill:
        return None
    joined = buffer.region.join(request.region)
    if joined is None or joined.area > _MAX_GROWTH * max(buffer.region.area, request.region.area):
        return None
    return joined


def _is_prefix(short: Source, long: Source) -> bool:
    if not short or short[:-1] != long[: len(short) - 1] or len(short) > len(long):
        return False
    last, other = short[-1], long[len(short) - 1]
    return (last.producer, last.start) == (other.producer, other.start) and last.stop <= other.stop


def _initial_content(buffer: Buffer, regions: Mapping[int, Region]) -> Literal["map", "fill", "nothing"]:
    if all(buffer.region.within(regions[segment.producer], buffer.size) for segment in buffer.source):
        return "nothing" if buffer.fill is None else "fill"
    return "map"
