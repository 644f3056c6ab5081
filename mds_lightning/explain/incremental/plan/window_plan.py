"""How a grid of windows is computed: which go together, and what is kept of the uncovered field for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from mds_lightning.explain.incremental.graph.capture import capture
from mds_lightning.explain.incremental.graph.lowering import lower
from mds_lightning.explain.incremental.plan.extents import Changes, find_changes, number_frames, share_extents
from mds_lightning.explain.incremental.plan.group_layout import Layout, lay_out
from mds_lightning.explain.incremental.plan.kept_maps import Border, PoolKey, find_pools
from mds_lightning.explain.incremental.plan.window_groups import group_windows
from mds_lightning.explain.incremental.program.fusion import simplify
from mds_lightning.explain.incremental.program.program import Program
from mds_lightning.explain.incremental.program.receptive_field import Integers
from mds_lightning.explain.windows import WindowGrid

#: Work that a step on one more group of windows costs besides its arithmetic, in multiplications: calls,
#: tables of places, and a kernel for yet another size of crop.
_STEP_COST = 6e6
#: Likewise for every weight: each group fetches all of them from main memory.
_WEIGHT_COST = 25
#: Fields side by side beyond which groups get no smaller.
_MOST_FIELDS = 4
#: Groups expected on an axis before they are known.
_FIRST_GUESS = 4


@dataclass(frozen=True, eq=False)
class Group:
    """Windows that are computed together: all pairs of some rows and some columns of the grid."""

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
        pools: What is kept of the uncovered fields.
    """

    program: Program
    grid: WindowGrid
    changes: tuple[Changes, Changes]
    groups: Sequence[Group]
    pools: Mapping[PoolKey, Border]


def read_network(network: nn.Module, inputs: Tensor) -> Program:
    """The network as a program for inputs of this shape.

    Raises:
        CaptureError: There is no graph that we understand.
    """
    root, graph = capture(network)
    return simplify(lower(root, graph, inputs))


def make_plan(program: Program, grid: WindowGrid, fields: int = 1) -> Plan:
    """Decide which windows go together and what is kept for them.

    Args:
        program: The network.
        grid: The windows.
        fields: How many fields are explained side by side: the more, the more groups are worth it.
    """
    changes = find_changes(program, 0, grid.rows), find_changes(program, 1, grid.columns)
    frames = number_frames(program, changes[0])
    # A step without multiplications still touches every number once.
    macs = np.array([0.0, *(float(operation.macs + operation.shape[0]) for operation in program.operations)])
    weights = sum(operation.macs for operation in program.operations)
    overhead = (_STEP_COST * len(program.operations) + _WEIGHT_COST * weights) / min(fields, _MOST_FIELDS)
    split: list[list[Integers]] = [[], []]
    for axis in (0, 1, 0):
        # A group on one axis makes a group with each of those on the other.
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
    pools = find_pools(buffer for group in groups for buffer in group.layout.buffers)
    return Plan(program, grid, changes, groups, pools)
