"""The plan of a grid: groups of windows, and the maps of the uncovered field that are kept for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from mds_lightning.explain.incremental.graph.capture import capture
from mds_lightning.explain.incremental.graph.lowering import lower
from mds_lightning.explain.incremental.plan.extents import Changes, find_changes, number_frames, share_extents
from mds_lightning.explain.incremental.plan.group_layout import Layout, lay_out
from mds_lightning.explain.incremental.plan.kept_maps import Border, MapKey, find_kept_maps
from mds_lightning.explain.incremental.plan.window_groups import group_windows
from mds_lightning.explain.incremental.program.fusion import fuse_operations
from mds_lightning.explain.incremental.program.program import Program
from mds_lightning.explain.incremental.program.receptive_field import Integers
from mds_lightning.explain.windows import WindowGrid

#: Overhead of a step for one more group of windows, in multiplications: calls, index tables, and a kernel
#: for another crop size.
_STEP_COST = 6e6
#: Likewise for every weight: each group reads all of them from main memory.
_WEIGHT_COST = 25
#: With more fields at once than this, groups get no smaller.
_MAX_FIELDS = 4
#: Number of groups on an axis that is assumed before they have been formed.
_FIRST_GUESS = 4


@dataclass(frozen=True, eq=False)
class Group:
    """Windows that are computed together: all combinations of some rows and columns of the grid."""

    rows: Integers
    columns: Integers
    layout: Layout


@dataclass(frozen=True, eq=False)
class Plan:
    """How the windows of one grid are computed.

    Attributes:
        program: The network.
        grid: The windows.
        changes: Exact changes, vertically and horizontally.
        groups: Every window is in one of them.
        kept_maps: Maps of the uncovered fields that crops are cut from.
    """

    program: Program
    grid: WindowGrid
    changes: tuple[Changes, Changes]
    groups: Sequence[Group]
    kept_maps: Mapping[MapKey, Border]


def read_network(network: nn.Module, inputs: Tensor) -> Program:
    """Read a network as a program for inputs of one shape.

    Raises:
        CaptureError: The network has no graph that can be lowered.
    """
    root, graph = capture(network)
    return fuse_operations(lower(root, graph, inputs))


def make_plan(program: Program, grid: WindowGrid, fields: int = 1) -> Plan:
    """Form groups of windows, and find the maps that are kept for them.

    Args:
        program: The network.
        grid: The windows.
        fields: Number of fields that are explained at once; more fields allow more groups.
    """
    changes = find_changes(program, 0, grid.rows), find_changes(program, 1, grid.columns)
    frames = number_frames(program, changes[0])
    # A step without multiplications still reads every number once.
    macs = np.array([0.0, *(float(operation.macs + operation.shape[0]) for operation in program.operations)])
    weights = sum(operation.macs for operation in program.operations)
    overhead = (_STEP_COST * len(program.operations) + _WEIGHT_COST * weights) / min(fields, _MAX_FIELDS)
    split: list[list[Integers]] = [[], []]
    for axis in (0, 1, 0):
        # A group on one axis forms a group with each group on the other axis.
        other = len(split[1 - axis]) or _FIRST_GUESS
        work = macs * changes[1 - axis].lengths.sum(1)
        split[axis] = group_windows(changes[axis], frames, work, other * overhead)
    down, across = (
        [share_extents(changes[axis], frames, chosen) for chosen in split[axis]] for axis in (0, 1)
    )
    groups = [
        Group(rows, columns, lay_out(program, down[row], across[column]))
        for row, rows in enumerate(split[0])
        for column, columns in enumerate(split[1])
    ]
    kept_maps = find_kept_maps(buffer for group in groups for buffer in group.layout.buffers)
    return Plan(program, grid, changes, groups, kept_maps)
