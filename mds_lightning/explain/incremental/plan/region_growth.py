"""Where computing a little more is cheaper than fetching the uncovered map."""

from collections import defaultdict
from collections.abc import Sequence

from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.operations import Operation, Source
from mds_lightning.explain.incremental.program.program import Program
from mds_lightning.explain.incremental.program.receptive_field import Reach

#: Copying one number costs about as much as so many multiplications.
_COPY_COST = 20


def grow_regions(program: Program, regions: dict[int, Region]) -> None:
    """Enlarge the regions of operations where that saves copying, in place.

    What is read beyond the changed region need not be cut from the uncovered map if it is computed instead:
    - by an operation with a neighbourhood, whose own input is cut from an uncovered map anyhow, only a little
      larger then. So the large maps of a network's first, cheap convolution need not be kept at all;
    - by a pixel-by-pixel operation, if a sibling reads that input anyhow: of two branches that are joined,
      the one without a neighbourhood changes less.
    """
    wanted: dict[int, list[Region | None]] = defaultdict(list)
    needs: dict[Source, list[tuple[int, Region]]] = defaultdict(list)
    for operation in program.operations:
        need = regions[operation.output].needed_by(operation.reach)
        needs[operation.inputs[0]].append((operation.output, need))
    for source in program.boundary_sources():
        for segment in source:
            wanted[segment.producer].append(None)
    for operation in reversed(program.operations):
        number = operation.output
        siblings = [need for other, need in needs[operation.inputs[0]] if other != number]
        regions[number] = _grown(operation, regions[number], wanted[number], siblings)
        for position, source in enumerate(operation.inputs):
            reach = operation.reach if position == 0 else (Reach(), Reach())
            need = regions[number].needed_by(reach)
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
    is_there = not all(reach.is_pointwise for reach in operation.reach) or any(
        joined.within(need, size) and need.offset_from(joined) is not None for need in siblings
    )
    extra = (joined.area - region.area) * operation.macs
    is_cheap = extra < _COPY_COST * joined.area * operation.shape[0]
    return joined if is_there and is_cheap and not joined.overhangs(size) else region


def _hold(region: Region, want: Region, size: Sequence[int]) -> Region | None:
    """A region that holds both, if there is one."""
    # Near the far border the two may lie differently to each other from window to window.
    return region.join(want) or (want if region.within(want, size) else None)
