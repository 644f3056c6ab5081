"""Memory that uncovered fields and the crops of a window take, for choosing how many are computed at once."""

from collections import Counter
from collections.abc import Iterable

from mds_lightning.explain.incremental.plan.crop_buffers import View
from mds_lightning.explain.incremental.plan.group_layout import Layout
from mds_lightning.explain.incremental.plan.kept_maps import MapKey
from mds_lightning.explain.incremental.plan.window_plan import Plan
from mds_lightning.explain.incremental.program.operations import Source
from mds_lightning.explain.incremental.program.program import INPUT, GlobalMean, Program, WholeMap

_DOUBLE = 8


def field_bytes(plan: Plan, width: int) -> int:
    """Largest number of bytes that one uncovered field takes while its maps are computed and kept.

    Args:
        plan: How windows are computed.
        width: Bytes per number.
    """
    program = plan.program
    readers = Counter(
        producer
        for source in [
            *_inputs(program),
            *(source for source, _ in plan.kept_maps),
            *program.boundary_sources(),
        ]
        for producer in _producers(source)
    )
    live = 3 * _size(program, INPUT)
    most, present, pending = live, {INPUT}, set(plan.kept_maps)

    def release(source: Source) -> int:
        freed = 0
        for producer in _producers(source):
            readers[producer] -= 1
            freed += _size(program, producer) if readers[producer] == 0 else 0
        return freed

    for operation in program.operations:
        live += _size(program, operation.output)
        present.add(operation.output)
        most = max(most, live)
        for source in operation.inputs:
            live -= release(source)
        for key in [key for key in pending if _producers(key[0]) <= present]:
            pending.remove(key)
            # Without a border it is the same as another one, see `run_uncovered_fields`.
            is_shared = key[1] is None and any(other[0] == key[0] for other in plan.kept_maps if other != key)
            live += 0 if is_shared else _kept_map_size(plan, key)
            most = max(most, live)
            live -= release(key[0])
    sums = {
        segment.producer
        for boundary in program.tail.boundaries.values()
        if isinstance(boundary, GlobalMean)
        for segment in boundary.source
    }
    return most * width + _DOUBLE * sum(_size(program, producer) for producer in sums)


def window_bytes(plan: Plan, width: int) -> int:
    """Largest number of bytes that the crops of a window take, over all groups."""
    return width * max(_window_size(plan.program, group.layout) for group in plan.groups)


def _window_size(program: Program, layout: Layout) -> int:
    live = most = _crop_size(program, layout, INPUT)
    present: set[int] = set()
    for step in layout.steps:
        for given in step.inputs:
            if isinstance(given, View) and given.buffer not in present:
                present.add(given.buffer)
                live += _buffer_size(layout, given.buffer)
            if isinstance(given, View) and not given.is_all:
                # Read through a copy.
                most = max(most, live + given.height * given.width * given.channels)
        live += _crop_size(program, layout, step.operation.output)
        most = max(most, live)
        live -= sum(_crop_size(program, layout, producer) for producer in step.last_producers)
        live -= sum(_buffer_size(layout, buffer) for buffer in step.last_buffers)
    for boundary in _whole_maps(program):
        channels, height, across = boundary.shape
        live += 2 * channels * height * across
        most = max(most, live)
    return most


def _whole_maps(program: Program) -> Iterable[WholeMap]:
    return (boundary for boundary in program.tail.boundaries.values() if isinstance(boundary, WholeMap))


def _buffer_size(layout: Layout, number: int) -> int:
    buffer = layout.buffers[number]
    return buffer.channels * buffer.region.area


def _crop_size(program: Program, layout: Layout, producer: int) -> int:
    return program.shapes[producer][0] * layout.regions[producer].area


def _kept_map_size(plan: Plan, key: MapKey) -> int:
    border = plan.kept_maps[key]
    height, across = plan.program.shapes[key[0][0].producer][1:]
    pixels = (height + border.top + border.bottom) * (across + border.left + border.right)
    return pixels * sum(map(len, key[0]))


def _size(program: Program, producer: int) -> int:
    channels, height, across = program.shapes[producer]
    return channels * height * across


def _inputs(program: Program) -> Iterable[Source]:
    return (source for operation in program.operations for source in operation.inputs)


def _producers(source: Source) -> set[int]:
    return {segment.producer for segment in source}
