"""How a group of windows is computed: the region of every map and the input of every step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mds_lightning.explain.incremental.plan.crop_buffers import (
    Buffer,
    Direct,
    Input,
    Joint,
    Request,
    View,
    producers_read,
    share_buffers,
)
from mds_lightning.explain.incremental.plan.extents import Extent
from mds_lightning.explain.incremental.plan.region_growth import grow_regions
from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.convolution import MAX_SEGMENTS, Convolution
from mds_lightning.explain.incremental.program.operations import Operation, Source
from mds_lightning.explain.incremental.program.program import GlobalMean, Program, WholeMap
from mds_lightning.explain.incremental.program.receptive_field import POINTWISE


@dataclass(frozen=True, eq=False)
class Step:
    """One operation on a group's crops.

    Attributes:
        operation: The operation.
        inputs: Where its inputs are.
        is_whole: Whether input and output are whole maps, so that the operation's own padding holds.
        may_overwrite: Whether the result may overwrite the second input, which no later step reads.
        last_producers: Producers whose crops no later step reads.
        last_buffers: Buffers that no later step reads.
    """

    operation: Operation
    inputs: tuple[Input, ...]
    is_whole: bool
    may_overwrite: bool
    last_producers: tuple[int, ...]
    last_buffers: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """A group's plan.

    Attributes:
        regions: Of the input and every operation's output.
        buffers: Crops that are assembled.
        steps: In order.
        maps: Where each whole map of the boundaries is, in the order of the program.
    """

    regions: Mapping[int, Region]
    buffers: Sequence[Buffer]
    steps: Sequence[Step]
    maps: Sequence[Input]


def lay_out(program: Program, down: Mapping[int, Extent], across: Mapping[int, Extent]) -> Layout:
    """Plan a group of windows from its extents on both axes."""
    regions = {number: Region(down[number], across[number]) for number in down}
    grow_regions(program, regions)
    whole = [_is_whole(program, regions, operation) for operation in program.operations]
    requested = [
        [
            _request_input(program, regions, operation, position, is_whole)
            for position in range(len(operation.inputs))
        ]
        for operation, is_whole in zip(program.operations, whole, strict=True)
    ]
    ends = [
        _request_whole_map(program, regions, boundary)
        for boundary in program.tail.boundaries.values()
        if isinstance(boundary, WholeMap)
    ]
    requests = [each for several in [*requested, ends] for each in several if isinstance(each, Request)]
    buffers, views = share_buffers(requests, regions)

    def place(requested: Sequence[Request | Input]) -> tuple[Input, ...]:
        return tuple(views[each] if isinstance(each, Request) else each for each in requested)

    maps = place(ends)
    steps = _add_lifetimes(program, [place(several) for several in requested], whole, buffers, maps)
    return Layout(regions, buffers, steps, maps)


def _is_whole(program: Program, regions: Mapping[int, Region], operation: Operation) -> bool:
    """Whether input and output are whole maps, so that neither crops nor padding have to be assembled."""
    first = operation.inputs[0]
    sole = _sole(program, first)
    if sole is None or not regions[operation.output].is_whole(operation.shape[1:]):
        return False
    return regions[sole].is_whole(_size(program, first))


def _request_input(
    program: Program, regions: Mapping[int, Region], operation: Operation, position: int, is_whole: bool
) -> Request | Input:
    source = operation.inputs[position]
    is_first = position == 0
    need = regions[operation.output].needed_by(operation.receptive_field if is_first else POINTWISE)
    sole = _sole(program, source)
    if sole is not None and ((is_first and is_whole) or need.equals(regions[sole])):
        return Direct(sole)
    if is_first and isinstance(operation, Convolution) and operation.is_pixelwise:
        fits = all(need.equals(regions[segment.producer]) for segment in source)
        if fits and len(source) <= MAX_SEGMENTS:
            return Joint(source)
    size = _size(program, source)
    return Request(source, need, operation.fill if need.overhangs(size) else None, size)


def _request_whole_map(
    program: Program, regions: Mapping[int, Region], boundary: WholeMap
) -> Request | Input:
    size = boundary.shape[1:]
    sole = _sole(program, boundary.source)
    if sole is not None and regions[sole].is_whole(size):
        return Direct(sole)
    example = regions[boundary.source[0].producer]
    everything = Region(Extent(example.down.starts * 0, size[0]), Extent(example.across.starts * 0, size[1]))
    return Request(boundary.source, everything, None, size)


def _add_lifetimes(
    program: Program,
    inputs: Sequence[tuple[Input, ...]],
    whole: Sequence[bool],
    buffers: Sequence[Buffer],
    maps: Sequence[Input],
) -> list[Step]:
    """Find the last step that reads each crop and buffer, and which steps may overwrite an input."""
    end = len(inputs)
    last_producer: dict[int, int] = {}
    last_buffer: dict[int, int] = {}
    for position, given in [*enumerate(inputs), (end, tuple(maps))]:
        for each in given:
            read = producers_read(each)
            if isinstance(each, View):
                last_buffer[each.buffer] = position
                # A crop may be pasted at any reading of its buffer, so it is kept until the last one.
                read = [segment.producer for segment in buffers[each.buffer].source]
            last_producer |= dict.fromkeys(read, position)
    for boundary in program.tail.boundaries.values():
        if isinstance(boundary, GlobalMean):
            last_producer |= {segment.producer: end for segment in boundary.source}
    steps = []
    for position, given in enumerate(inputs):
        producers = tuple(number for number, last in last_producer.items() if last == position)
        over = tuple(number for number, last in last_buffer.items() if last == position)
        may = len(given) > 1 and _is_over(given[1], given[0], producers, over)
        steps.append(Step(program.operations[position], given, whole[position], may, producers, over))
    return steps


def _is_over(given: Input, other: Input, last_producers: Sequence[int], last_buffers: Sequence[int]) -> bool:
    """Whether this step is the last to read an input, and reads it only once."""
    if isinstance(given, View):
        is_shared = isinstance(other, View) and other.buffer == given.buffer
        return given.is_all and given.buffer in last_buffers and not is_shared
    read = producers_read(given)
    return {*read} <= {*last_producers} and not {*read} & {*producers_read(other)}


def _size(program: Program, source: Source) -> tuple[int, int]:
    return program.shapes[source[0].producer][1:]


def _sole(program: Program, source: Source) -> int | None:
    """The producer whose whole output `source` is, if there is one."""
    if len(source) != 1 or (source[0].start, source[0].stop) != (0, program.shapes[source[0].producer][0]):
        return None
    return source[0].producer
