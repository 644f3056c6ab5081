"""Fuses batch norm, sum and ReLU into the convolution before them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from mds_lightning.explain.incremental.program.convolution import Convolution
from mds_lightning.explain.incremental.program.operations import Affine, Binary, Operation, Pointwise, Source
from mds_lightning.explain.incremental.program.program import Program

#: From two operations, and the position of the first among the inputs of the second, to one operation; None
#: where they cannot be merged.
Merge = Callable[[Operation, Operation, int], Operation | None]


def fuse_operations(program: Program) -> Program:
    """Merge operations where that leaves the result the same, up to rounding.

    Folding a batch norm into the weights changes a probability by about 1e-6 in single precision.
    """
    operations = list(program.operations)
    for merge in (_merge_affine, _merge_sum, _merge_relu):
        operations = _fuse(operations, program.boundary_sources(), merge)
    return replace(program, operations=_drop_unread(operations, program.boundary_sources()))


def _fuse(operations: list[Operation], boundary: Sequence[Source], merge: Merge) -> list[Operation]:
    readers = Counter(
        producer
        for source in [*boundary, *(source for operation in operations for source in operation.inputs)]
        for producer in {segment.producer for segment in source}
    )
    made: dict[int, Operation] = {}
    for operation in operations:
        merged = None
        # A sum is merged into the later of its two summands, when the other one has been computed.
        candidates = sorted(
            (
                (list(made).index(producer), position, producer)
                for position, source in enumerate(operation.inputs)
                if (producer := _sole_producer(source, made)) is not None and readers[producer] == 1
            ),
            reverse=True,
        )
        for _, position, producer in candidates:
            merged = merge(made[producer], operation, position)
            if merged is not None:
                del made[producer]
                break
        made[operation.output] = merged or operation
    return [*made.values()]


def _sole_producer(source: Source, made: dict[int, Operation]) -> int | None:
    """Number of the operation whose whole output, in its order, is `source`."""
    if len(source) != 1 or source[0].producer not in made:
        return None
    is_whole = source[0].start == 0 and source[0].stop == made[source[0].producer].shape[0]
    return source[0].producer if is_whole else None


def _merge_affine(before: Operation, after: Operation, _position: int) -> Operation | None:
    if not isinstance(before, Convolution) or not isinstance(after, Affine):
        return None
    return replace(
        before,
        label=f"{before.label}+{after.label}",
        output=after.output,
        weight=before.weight * after.scale[:, None, None, None],
        bias=before.bias * after.scale + after.shift,
    )


def _merge_sum(before: Operation, after: Operation, position: int) -> Operation | None:
    if not isinstance(before, Convolution) or not isinstance(after, Binary) or not after.is_sum:
        return None
    if len(before.inputs) > 1 or before.relu:
        return None
    return replace(
        before,
        label=f"{before.label}+{after.label}",
        inputs=(before.inputs[0], after.inputs[1 - position]),
        output=after.output,
    )


def _merge_relu(before: Operation, after: Operation, _position: int) -> Operation | None:
    if not isinstance(before, Convolution | Affine) or not isinstance(after, Pointwise) or not after.is_relu:
        return None
    return None if before.relu else replace(before, output=after.output, relu=True)


def _drop_unread(operations: Sequence[Operation], boundary: Sequence[Source]) -> list[Operation]:
    read = {segment.producer for source in boundary for segment in source}
    kept: list[Operation] = []
    for operation in reversed(operations):
        if operation.output in read:
            kept.insert(0, operation)
            read |= {segment.producer for source in operation.inputs for segment in source}
    return kept
