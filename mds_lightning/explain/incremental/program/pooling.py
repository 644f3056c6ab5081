"""Pooling of whole maps and of crops."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mds_lightning.explain.incremental.program.operations import Operation
from mds_lightning.explain.incremental.program.receptive_field import Reach


@dataclass(frozen=True, eq=False, kw_only=True)
class Pooling(Operation):
    """Maximum or mean over a neighbourhood.

    Attributes:
        kind: Which.
        kernel: Vertical, horizontal; likewise stride, padding and dilation (1 for means).
        ceil_mode: Whether a last neighbourhood may run over the border.
        counts_padding: Whether padding counts as zeros in a mean.
        divisor: What a sum is divided by instead, if anything.
    """

    kind: Literal["maximum", "mean"]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)
    ceil_mode: bool = False
    counts_padding: bool = True
    divisor: int | None = None

    @property
    def reach(self) -> tuple[Reach, Reach]:
        """From kernel, dilation, stride and padding."""
        down, across = (
            Reach(dilation * (taps - 1) + 1, stride, padding)
            for taps, stride, padding, dilation in zip(
                self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return down, across

    @property
    def fill(self) -> float:
        """Nothing is less than what lies beyond the border."""
        return float("-inf") if self.kind == "maximum" else 0.0

    def whole(self, *maps: Tensor) -> Tensor:
        """As torch does it."""
        if self.kind == "maximum":
            return F.max_pool2d(
                maps[0], self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode
            )
        return F.avg_pool2d(
            maps[0], self.kernel, self.stride, self.padding, self.ceil_mode, self.counts_padding, self.divisor
        )

    def crop(self, *maps: Tensor) -> Tensor:
        """Of a mean: the sum, for `counts` tells what it is divided by at the border."""
        if self.kind == "maximum":
            return F.max_pool2d(maps[0], self.kernel, self.stride, 0, self.dilation)
        return F.avg_pool2d(maps[0], self.kernel, self.stride, divisor_override=self.divisor or 1)

    def counts(self, axis: int, length: int) -> Tensor | None:
        """What the sums are divided by on one axis (the product of both counts): one number an output pixel.

        Args:
            axis: 0 vertical, 1 horizontal.
            length: Pixels of the input on that axis.

        Returns:
            Shape (output pixels,), float64; None where nothing is divided.
        """
        if self.kind == "maximum" or self.divisor is not None:
            return None
        kernel, stride, padding = self.kernel[axis], self.stride[axis], self.padding[axis]
        start = torch.arange(self.shape[1 + axis], dtype=torch.float64) * stride - padding
        stop = (start + kernel).clamp_max(length + padding)
        return stop - start if self.counts_padding else stop.clamp_max(length) - start.clamp_min(0)
