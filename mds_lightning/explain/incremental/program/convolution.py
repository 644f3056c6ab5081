"""Convolution of whole maps and of crops."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mds_lightning.explain.incremental.program.operations import Operation
from mds_lightning.explain.incremental.program.receptive_field import POINTWISE, ReceptiveField

#: Maps that a pixelwise convolution reads one by one; more of them are concatenated first, which is faster.
MAX_SEGMENTS = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution(Operation):
    """Convolution, with the sum and the ReLU that follow it, if any.

    Attributes:
        weight: (channels out, channels in / groups, kernel height, kernel width).
        bias: (channels out).
        stride: Vertical, horizontal; likewise padding (zeros) and dilation.
        relu: Whether negative results become zero.
    """

    weight: Tensor
    bias: Tensor
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    relu: bool = False

    @property
    def receptive_field(self) -> tuple[ReceptiveField, ReceptiveField]:
        """From kernel, dilation, stride and padding."""
        down, across = (
            ReceptiveField(dilation * (taps - 1) + 1, stride, padding)
            for taps, stride, padding, dilation in zip(
                self.weight.shape[2:], self.stride, self.padding, self.dilation, strict=True
            )
        )
        return down, across

    @property
    def macs(self) -> int:
        """The number of weights: each is used once per pixel."""
        return self.weight.numel()

    def whole(self, *maps: Tensor) -> Tensor:
        """With zero padding."""
        return self._compute(self.padding, maps, may_overwrite=False)

    def crop(self, *maps: Tensor) -> Tensor:
        """Without padding."""
        return self._compute((0, 0), maps, may_overwrite=False)

    def overwrite(self, is_whole: bool, *maps: Tensor) -> Tensor:
        """The same; the result may overwrite the map that is added."""
        return self._compute(self.padding if is_whole else (0, 0), maps, may_overwrite=True)

    @property
    def is_pixelwise(self) -> bool:
        """Whether it is a matrix product with one row per pixel."""
        return self.groups == 1 and self.receptive_field == POINTWISE

    def join(self, parts: Sequence[Tensor], *added: Tensor) -> Tensor:
        """Pixelwise convolution of concatenated maps, without the concatenation where possible."""
        return self.crop(torch.cat([*parts], 1), *added)

    def _compute(self, padding: tuple[int, int], maps: tuple[Tensor, ...], may_overwrite: bool) -> Tensor:
        del may_overwrite
        out = F.conv2d(maps[0], self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        if len(maps) > 1:
            out += maps[1]
        return out.relu_() if self.relu else out
