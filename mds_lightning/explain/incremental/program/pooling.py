"""Pooling of whole maps and of crops."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mds_lightning.explain.incremental.program.operations import Operation
from mds_lightning.explain.incremental.program.receptive_field import ReceptiveField


@dataclass(frozen=True, eq=False, kw_only=True)
class Pooling(Operation):
    """Maximum or mean over a neighbourhood.

    Attributes:
        kind: Maximum or mean.
        kernel: Vertical, horizontal; likewise stride, padding and dilation (1 for means).
        ceil_mode: Whether the last neighbourhood may extend beyond the border.
        counts_padding: Whether padding counts as zeros in a mean.
        divisor: Divisor of a mean, where it is not the number of pixels.
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
    def receptive_field(self) -> tuple[ReceptiveField, ReceptiveField]:
        """From kernel, dilation, stride and padding."""
        down, across = (
            ReceptiveField(dilation * (taps - 1) + 1, stride, padding)
            for taps, stride, padding, dilation in zip(
                self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return down, across

    @property
    def fill(self) -> float:
        """Padding never is the maximum."""
        return float("-inf") if self.kind == "maximum" else 0.0

    def whole(self, *maps: Tensor) -> Tensor:
        """By `torch.nn.functional`."""
        if self.kind == "maximum":
            return F.max_pool2d(
                maps[0], self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode
            )
        return F.avg_pool2d(
            maps[0], self.kernel, self.stride, self.padding, self.ceil_mode, self.counts_padding, self.divisor
        )

    def crop(self, *maps: Tensor) -> Tensor:
        """The maximum; of a mean the sum, since its divisor varies near the border, see `counts`."""
        if self.kind == "maximum":
            return F.max_pool2d(maps[0], self.kernel, self.stride, 0, self.dilation)
        return F.avg_pool2d(maps[0], self.kernel, self.stride, divisor_override=self.divisor or 1)

    def counts(self, axis: int, length: int) -> Tensor | None:
        """Number of pixels that a sum is divided by on one axis; the divisor is the product over both axes.

        Args:
            axis: 0 vertical, 1 horizontal.
            length: Pixels of the input on that axis.

        Returns:
            Shape (output pixels,), float64; None where there is no such divisor.
        """
        if self.kind == "maximum" or self.divisor is not None:
            return None
        kernel, stride, padding = self.kernel[axis], self.stride[axis], self.padding[axis]
        start = torch.arange(self.shape[1 + axis], dtype=torch.float64) * stride - padding
        stop = (start + kernel).clamp_max(length + padding)
        return stop - start if self.counts_padding else stop.clamp_max(length) - start.clamp_min(0)
