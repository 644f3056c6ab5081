"""Summary of a plan: the work that it saves in each stage, and why it saves no more."""

from collections import defaultdict
from dataclasses import dataclass

from mds_lightning.explain.incremental.plan.window_plan import Plan
from mds_lightning.explain.incremental.program.operations import Operation
from mds_lightning.explain.incremental.program.program import GlobalMean, WholeMap


@dataclass(frozen=True)
class Work:
    """Multiply-accumulate operations for all windows of a grid.

    Attributes:
        full: With a whole pass for each window.
        exact: For the pixels that change and no others, which is the limit of this method.
        planned: For the pixels that are computed; the windows of a group share the size of their regions.
    """

    full: float
    exact: float
    planned: float

    @property
    def limit(self) -> float:
        """Ratio of the work of full passes to the least possible work."""
        return self.full / self.exact if self.exact else float("nan")


def count_work(plan: Plan, *operations: Operation) -> Work:
    """Work of some operations of a plan; without operations, of all of them."""
    down, across = plan.changes
    full = exact = planned = 0.0
    for operation in operations or plan.program.operations:
        place = down.places[operation.output]
        full += float(operation.macs) * operation.shape[1] * operation.shape[2] * len(plan.grid)
        exact += float(operation.macs) * int(down.lengths[place].sum()) * int(across.lengths[place].sum())
        planned += float(operation.macs) * sum(
            group.layout.regions[operation.output].area * len(group.rows) * len(group.columns)
            for group in plan.groups
        )
    return Work(full, exact, planned)


def describe_plan(plan: Plan) -> str:
    """A table of the stages (maps of one size) and the reasons for where the fast path ends."""
    grid, program = plan.grid, plan.program
    stages: dict[tuple[int, int], list[Operation]] = defaultdict(list)
    for operation in program.operations:
        stages[operation.shape[1:]].append(operation)
    lines = [
        f"{len(grid)} windows of {grid.window} pixels every {grid.stride} on {grid.height} x {grid.width}, "
        f"in {len(plan.groups)} groups of windows",
        f"{'map':>11}  {'steps':>5}  {'changed':>8}  {'computed':>8}  {'work':>8}",
    ]
    everything = count_work(plan)
    for size, operations in stages.items():
        work = count_work(plan, *operations)
        changed, computed = _areas(plan, operations)
        fraction = f"{work.full / everything.full:.1%}" if everything.full else "-"
        lines.append(
            f"{size[0]:>5} x{size[1]:>4}  {len(operations):>5}  {changed:>8.1%}  {computed:>8.1%}  "
            f"{fraction:>8}"
        )
    if everything.exact:
        lines.append(
            f"multiplications: {everything.exact / everything.full:.1%} of full passes change "
            f"({everything.limit:.1f} times less), {everything.planned / everything.full:.1%} are computed "
            f"({everything.full / everything.planned:.1f} times less)"
        )
    return "\n".join([*lines, *_ends(plan)])


def _areas(plan: Plan, operations: list[Operation]) -> tuple[float, float]:
    """Mean fractions of the maps that change and that are computed."""
    down, across = plan.changes
    changed = computed = 0.0
    for operation in operations:
        place = down.places[operation.output]
        pixels = operation.shape[1] * operation.shape[2] * len(plan.grid)
        changed += int(down.lengths[place].sum()) * int(across.lengths[place].sum()) / pixels
        computed += (
            sum(
                group.layout.regions[operation.output].area * len(group.rows) * len(group.columns)
                for group in plan.groups
            )
            / pixels
        )
    return changed / len(operations), computed / len(operations)


def _ends(plan: Plan) -> list[str]:
    boundaries = plan.program.tail.boundaries.values()
    ends = [f"runs on whole maps from here on: {note}" for note in plan.program.notes]
    if not ends and any(isinstance(boundary, WholeMap) for boundary in boundaries):
        ends.append("runs on whole maps from the last local step on")
    if any(isinstance(boundary, GlobalMean) for boundary in boundaries):
        ends.append("means over whole maps are updated from the changed regions alone")
    return ends
