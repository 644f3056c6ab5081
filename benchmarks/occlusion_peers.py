"""Peers of the occlusion benchmark: the cost of a window with captum, MONAI and a plain batched loop."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from captum.attr import Occlusion
from torch import Tensor, nn

from mds_lightning.explain.full import pass_in_full
from mds_lightning.explain.windows import WindowGrid

#: Windows across and down that a peer computes to measure its cost.
_SIDE = 4


@dataclass(frozen=True)
class Case:
    """One network on one field.

    Attributes:
        network: In eval mode.
        field: (1, 3, H, W).
        grid: All windows of the map.
    """

    network: nn.Module
    field: Tensor
    grid: WindowGrid


def clock(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that `work` takes, on a GPU until it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def seconds_a_pass(case: Case, work: Callable[[], object]) -> float:
    """Seconds for each field that `work` sends through the network."""
    passed = 0

    def count(_module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        nonlocal passed
        passed += len(arguments[0])

    handle = case.network.register_forward_pre_hook(count)
    try:
        seconds = clock(work, case.field.device)
    finally:
        handle.remove()
    return seconds / passed


def by_captum(case: Case, batch: int) -> float:
    """Seconds a window.

    They are larger than those of the map, so that few cover the field; captum fills in the whole field for
    each of them, whatever its size.
    """
    sides = [-(-length // _SIDE) for length in case.field.shape[2:]]
    occlusion = Occlusion(lambda x: case.network(x).softmax(1))
    shape = (3, *sides)
    return seconds_a_pass(
        case, lambda: occlusion.attribute(case.field, shape, shape, target=1, perturbations_per_eval=batch)
    )


def by_monai(case: Case, batch: int) -> float:
    """Seconds a window, in a corner of the field."""
    from monai.visualize import OcclusionSensitivity

    window, stride = case.grid.window, case.grid.stride
    far = (_SIDE - 1) * stride + window // 2
    sensitivity = OcclusionSensitivity(
        case.network, mask_size=window, n_batch=batch, verbose=False, mode=0.0, overlap=1 - stride / window
    )
    return seconds_a_pass(case, lambda: sensitivity(case.field, b_box=[0, far, 0, far]))


def by_loop(case: Case, batch: int) -> float:
    """Seconds a window of the simplest batched loop."""
    rows, columns = case.grid.rows, case.grid.columns
    windows = [(rows[k // _SIDE], columns[k % _SIDE]) for k in range(_SIDE * _SIDE)]
    cover = torch.zeros_like(case.field)
    return seconds_a_pass(
        case, lambda: pass_in_full(case.network, case.field, cover, windows, batch, lambda _: None)
    )
