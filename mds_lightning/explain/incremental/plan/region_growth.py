"""Regions that are enlarged, because computing a few more pixels is cheaper than copying them."""

from collections import defaultdict
from collections.abc import Sequence

from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.operations import Operation, Source
from mds_lightning.explain.incremental.program.program import Program
from mds_lightning.explain.incremental.program.receptive_field import POINTWISE

#: Cost of copying one number, in multiplications.
_COPY_COST = 20


def grow_regions(program: Program, regions: dict[int, Region]) -> None:
    """Enlarge the regions of operations where that saves copying, in place.

    What is read outside the changed region need not be copied from the uncovered map if it is computed:
    - by an operation with a neighbourhood, the input of which is cut from an uncovered map in any case, and
      is only slightly larger then. So the large map after a network's first, cheap convolution need not be
      kept;
    - by a pointwise operation, if a sibling reads the same input: of two branches that are joined, the one
      without a neighbourhood changes fewer pixels.
    """
    wanted: dict[int, list[Region | None]] = defaultdict(list)
    needs: dict[Source, list[tuple[int, Region]]] = defaultdict(list)
    for operation in program.operations:
        need = regions[operation.output].needed_by(operation.receptive_field)
        needs[operation.inputs[0]].append((operation.output, need))
    for source in program.boundary_sources():
        for segment in source:
            wanted[segment.producer].append(None)
    for operation in reversed(program.operations):
        number = operation.output
        siblings = [need for other, need in needs[operation.inputs[0]] if other != number]
        regions[number] = _grown(operation, regions[number], wanted[number], siblings)
        for position, source in enumerate(operation.inputs):
            receptive_field = operation.receptive_field if position == 0 else POINTWISE
            need = regions[number].needed_by(receptive_field)
            for producer in {segment.producer for segment in source}:
                wanted[producer].append(need)


def _grown(
    operation: Operation, region: Region, wanted: Sequence[Region | None], siblings: Sequence[Region]
) -> Region:
    if not operation.macs or len(operation.inputs) > 1:
        return region
    joined = region
    for want in wanted:
        larger = None if want is None else _hold(joined, want, operation.shape[1:])
        if larger is None:
            return region
        joined = larger
    size = operation.shape[1:]
    is_there = operation.receptive_field != POINTWISE or any(
        joined.within(need, size) and need.offset_from(joined) is not None for need in siblings
    )
    extra = (joined.area - region.area) * operation.macs
    is_cheap = extra < _COPY_COST * joined.area * operation.shape[0]
    return joined if is_there and is_cheap and not joined.overhangs(size) else region


def _hold(region: Region, want: Region, size: Sequence[int]) -> Region | None:
    """A region that contains both, if there is one."""
    # Near the far border the distance between the two may differ between windows.
    return region.join(want) or (want if region.within(want, size) else None)
