"""Groups of windows whose regions are similar, so that few unchanged pixels are computed with them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mds_lightning.explain.incremental.plan.extents import Changes
from mds_lightning.explain.incremental.program.receptive_field import Integers

Weights = npt.NDArray[np.float64]


def group_windows(changes: Changes, frames: Integers, weights: Weights, overhead: float) -> list[Integers]:
    """Split the windows of one axis into groups, merging greedily while that reduces the total work.

    Args:
        changes: Exact regions on the axis.
        frames: See `share_extents`.
        weights: For each map the work per pixel of this axis, summed over the windows of the other axis.
        overhead: Work of a group that does not depend on its size.

    Returns:
        Positions of the windows on the axis, each in one group.
    """
    members = [np.flatnonzero(frames == frame) for frame in np.unique(frames)]

    def cost(windows: Sequence[int]) -> float:
        chosen = list(windows)
        starts, stops = changes.starts[:, chosen], changes.stops[:, chosen]
        lengths = np.empty(len(starts))
        for member in members:
            low, high = starts[member].min(0), stops[member].max(0)
            anchor = np.minimum(low, changes.limits[member][0] - (high - low).max())
            lengths[member] = (stops[member] - anchor).max(1) - (starts[member] - anchor).min(1)
        return float(len(chosen) * (lengths @ weights))

    groups = [[int(window) for window in alike] for alike in _group_identical(changes, members)]
    costs = [cost(group) for group in groups]
    saved: dict[tuple[int, int], float] = {}
    alive = set(range(len(groups)))

    def weigh(first: int, second: int) -> None:
        together = cost(groups[first] + groups[second])
        saved[first, second] = costs[first] + costs[second] + overhead - together

    for first in alive:
        for second in range(first):
            weigh(first, second)
    while saved:
        first, second = max(saved, key=lambda key: saved[key])
        if saved[first, second] <= 0:
            break
        alive -= {first, second}
        saved = {key: value for key, value in saved.items() if not {first, second} & {*key}}
        groups.append(groups[first] + groups[second])
        costs.append(cost(groups[-1]))
        for other in alive:
            weigh(len(groups) - 1, other)
        alive.add(len(groups) - 1)
    return [np.array(sorted(groups[index])) for index in sorted(alive)]


def _group_identical(changes: Changes, members: Sequence[Integers]) -> list[Integers]:
    """Windows whose regions have the same lengths at the same distances; a group of them adds no work."""
    distances = [changes.starts[member] - changes.starts[member[-1]] for member in members]
    relative = np.concatenate([*distances, changes.lengths])
    _, kind = np.unique(relative, axis=1, return_inverse=True)
    kind = kind.reshape(-1)
    return [np.flatnonzero(kind == number) for number in range(kind.max() + 1)]
