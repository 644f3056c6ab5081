"""The incremental pass: from fields and windows to logits."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mds_lightning.explain.incremental.plan.memory import field_bytes, window_bytes
from mds_lightning.explain.incremental.plan.window_plan import Group, Plan
from mds_lightning.explain.incremental.run.blocks import Block, Cover
from mds_lightning.explain.incremental.run.execution import run_block
from mds_lightning.explain.incremental.run.uncovered_field import run_uncovered_fields

#: Most windows in a block: larger blocks are not faster, and crops should fit in the processor's cache.
_MAX_BLOCK = 64
_CACHE = 64 << 20
#: Fraction of the memory that uncovered fields may take when there are several.
_FIELDS_FRACTION = 0.5
#: Memory that allocator and kernels of a CPU take, as a multiple of the crops of a block (measured).
_OVERHEAD = 4

Chosen = npt.NDArray[np.bool_]


def pass_incrementally(
    plan: Plan,
    inputs: Tensor,
    covers: Tensor,
    chosen: Chosen,
    memory: int,
    dtype: torch.dtype,
    report: Callable[[int], Any],
) -> tuple[Tensor, Tensor]:
    """Compute covered windows, and the fields themselves.

    Args:
        plan: For the grid of the windows; its program is prepared for `dtype`.
        inputs: The fields as the network takes them, shape (n, C, H, W).
        covers: What is seen where a window covers them; same shape.
        chosen: Which windows, (rows, columns) of the grid.
        memory: Bytes.
        dtype: What operations compute in.
        report: Called with the number of windows in each block that has been computed.

    Returns:
        Logits of the fields, (n, classes), and of the windows, (n, rows, columns, classes); NaN where not
        chosen.
    """
    workers = torch.get_num_threads() if inputs.device.type == "cpu" else 1
    field = field_bytes(plan, dtype.itemsize)
    together = max(1, int(memory * _FIELDS_FRACTION) // field)
    room = max(0, memory - field * min(together, len(inputs)))
    if inputs.device.type == "cpu":
        room = min(room // _OVERHEAD, workers * _CACHE)
    block = max(1, room // (workers * max(1, window_bytes(plan, dtype.itemsize))))
    if inputs.device.type == "cpu":
        block = min(block, _MAX_BLOCK)
    parts = [
        _pass_fields(plan, few.to(dtype), cover.to(dtype), chosen, block, workers, report)
        for few, cover in zip(inputs.split(together), covers.split(together), strict=True)
    ]
    whole, covered = (torch.cat(part) for part in zip(*parts, strict=True))
    return whole, covered


def _pass_fields(
    plan: Plan,
    inputs: Tensor,
    covers: Tensor,
    chosen: Chosen,
    block: int,
    workers: int,
    report: Callable[[int], Any],
) -> tuple[Tensor, Tensor]:
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    uncovered = run_uncovered_fields(plan.program, inputs, plan.kept_maps)
    cover = Cover.of(inputs, covers)
    logits = uncovered.logits.new_full((len(inputs), *chosen.shape, uncovered.logits.shape[1]), float("nan"))

    def compute(group: Group, images: Tensor, part: Block) -> int:
        with torch.inference_mode():
            result = run_block(plan.program, group.layout, uncovered, cover, images, part)
            rows, columns = (
                torch.from_numpy(index) for index in (group.rows[part.rows], group.columns[part.columns])
            )
            logits[images[:, None, None], rows[:, None], columns] = result.to(logits.dtype)
        return len(images) * len(rows) * len(columns)

    tasks = [
        (group, images, part)
        for group in plan.groups
        for images, part in _blocks(plan, group, chosen, len(inputs), block, inputs.device)
    ]
    for done in _run(compute, tasks, workers):
        report(done)
    return uncovered.logits, logits


def _run(compute: Callable[..., int], tasks: list[Any], workers: int) -> Iterator[int]:
    """Compute blocks in parallel, each in one thread: small operations gain nothing from more threads."""
    if workers == 1 or len(tasks) == 1:
        for task in tasks:
            yield compute(*task)
        return
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for future in as_completed([pool.submit(compute, *task) for task in tasks]):
                yield future.result()
    finally:
        torch.set_num_threads(threads)


def _blocks(
    plan: Plan, group: Group, chosen: Chosen, fields: int, size: int, device: torch.device
) -> Iterator[tuple[Tensor, Block]]:
    """Divide a group's chosen windows into blocks of up to `size`, of rows with the same columns."""
    selected = chosen[np.ix_(group.rows, group.columns)]
    patterns, kind = np.unique(selected, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        columns = np.flatnonzero(pattern)
        if not len(columns):
            continue
        rows = np.flatnonzero(kind.reshape(-1) == number)
        across = min(len(columns), size)
        down = min(len(rows), max(1, size // across))
        images = max(1, size // (across * down))
        for image in range(0, fields, images):
            several = torch.arange(image, min(image + images, fields), device=device)
            for top in range(0, len(rows), down):
                for left in range(0, len(columns), across):
                    some, others = rows[top : top + down], columns[left : left + across]
                    yield (
                        several,
                        Block(
                            some,
                            others,
                            [plan.grid.rows[row] for row in group.rows[some]],
                            [plan.grid.columns[column] for column in group.columns[others]],
                        ),
                    )
