"""Full passes: one forward pass for each window, in batches that fit the memory."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mds_lightning.explain.windows import Interval

#: From normalised images (n, C, H, W) to logits (n, classes).
Network = Callable[[Tensor], Tensor]
#: Vertical and horizontal extent of a window.
Window = tuple[Interval, Interval]


def pass_in_full(
    network: Network,
    inputs: Tensor,
    covers: Tensor,
    windows: Sequence[Window],
    batch: int,
    report: Callable[[int], Any],
) -> Tensor:
    """Return the logits of the fields with each window covered.

    Args:
        network: In evaluation mode.
        inputs: The fields as the network takes them, shape (n, C, H, W).
        covers: What is visible under a window; same shape.
        windows: The windows.
        batch: Covered fields per pass.
        report: Called with the number of windows after each pass.

    Returns:
        Shape (n, windows, classes).
    """
    logits: list[Tensor] = []
    jobs = [(image, *window) for image in range(len(inputs)) for window in windows]
    for start in range(0, len(jobs), batch):
        chunk = jobs[start : start + batch]
        covered = inputs[[image for image, _, _ in chunk]]
        for position, (image, (top, bottom), (left, right)) in enumerate(chunk):
            covered[position, :, top:bottom, left:right] = covers[image, :, top:bottom, left:right]
        logits.append(network(covered))
        report(len(chunk))
    return torch.cat(logits).unflatten(0, (len(inputs), len(windows)))


def batch_within(network: nn.Module, inputs: Tensor, memory: int) -> int:
    """Number of fields of the size of `inputs` that fit in one pass, at least 1.

    Args:
        network: In evaluation mode; one field is passed through it to measure its activations.
        inputs: Shape (n, C, H, W).
        memory: Bytes.
    """
    largest = 0

    def record_size(_module: nn.Module, arguments: Any, output: Any) -> None:
        nonlocal largest
        tensors = [item for item in (*arguments, output) if isinstance(item, Tensor)]
        largest = max(largest, sum(item.numel() * item.element_size() for item in tensors))

    hooks = [
        module.register_forward_hook(record_size) for module in network.modules() if not [*module.children()]
    ]
    try:
        network(inputs[:1])
    finally:
        for hook in hooks:
            hook.remove()
    # Besides a layer's input and output there may be a shortcut's, and working copies of the library.
    return max(1, memory // max(1, 3 * largest + inputs[0].numel() * inputs.element_size()))
