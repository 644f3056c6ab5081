"""What can be computed on a crop of a map: convolution, pooling, and whatever acts pixel by pixel.

Maps are tensors of shape (n, C, H, W). `whole` computes an entire map, with the operation's own padding;
`crop` computes the pixels whose neighbourhood lies inside the tensor that is given, as if there were no
padding.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mds_lightning.explain.incremental.channels import Segment
from mds_lightning.explain.locality import Reach

Source = tuple[Segment, ...]
_POINT = (Reach(), Reach())
#: Maps that a pixelwise convolution reads one by one; with more it is faster to copy them together.
MOST_PARTS = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation(ABC):
    """One step of a program.

    Attributes:
        label: Name of the node of the graph, for people.
        inputs: The channels that it reads, input by input.
        output: Number of what it produces.
        shape: (channels, height, width) of that.
    """

    label: str
    inputs: tuple[Source, ...]
    output: int
    shape: tuple[int, int, int]

    @property
    def reach(self) -> tuple[Reach, Reach]:
        """Of the first input, vertically and horizontally; all further inputs are read pixel by pixel."""
        return _POINT

    @property
    def fill(self) -> float:
        """What lies beyond the first input's border."""
        return 0.0

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for a pixel of the output."""
        return 0

    @abstractmethod
    def whole(self, *maps: Tensor) -> Tensor:
        """The entire output."""

    def crop(self, *maps: Tensor) -> Tensor:
        """The output where its neighbourhood is inside; all inputs but the first have its size."""
        return self.whole(*maps)


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution(Operation):
    """Convolution, with a map that is added to it and ReLU, where they follow.

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
    def reach(self) -> tuple[Reach, Reach]:
        """From kernel, dilation, stride and padding."""
        down, across = (
            Reach(dilation * (taps - 1) + 1, stride, padding)
            for taps, stride, padding, dilation in zip(
                self.weight.shape[2:], self.stride, self.padding, self.dilation, strict=True
            )
        )
        return down, across

    @property
    def macs(self) -> int:
        """Weights: each is used once a pixel."""
        return self.weight.numel()

    def whole(self, *maps: Tensor) -> Tensor:
        """With zero padding."""
        return self._compute(self.padding, maps, may_overwrite=False)

    def crop(self, *maps: Tensor) -> Tensor:
        """Without padding."""
        return self._compute((0, 0), maps, may_overwrite=False)

    def overwrite(self, is_whole: bool, *maps: Tensor) -> Tensor:
        """The same; the map that is added may become the result."""
        return self._compute(self.padding if is_whole else (0, 0), maps, may_overwrite=True)

    @property
    def is_pixelwise(self) -> bool:
        """Whether it is a product of matrices, one row a pixel."""
        return self.groups == 1 and all(reach.is_pointwise for reach in self.reach)

    def join(self, parts: Sequence[Tensor], *added: Tensor) -> Tensor:
        """The output of a pixelwise convolution whose input comes in parts, channels after channels."""
        return self.crop(torch.cat([*parts], 1), *added)

    def _compute(self, padding: tuple[int, int], maps: tuple[Tensor, ...], may_overwrite: bool) -> Tensor:
        del may_overwrite
        out = F.conv2d(maps[0], self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        if len(maps) > 1:
            out += maps[1]
        return out.relu_() if self.relu else out


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Operation):
    """Scale and shift of every channel (batch norm that no convolution could take in), with ReLU after it."""

    scale: Tensor
    shift: Tensor
    relu: bool = False

    def whole(self, *maps: Tensor) -> Tensor:
        """Pixel by pixel."""
        out = torch.addcmul(self.shift[:, None, None], maps[0], self.scale[:, None, None])
        return out.relu_() if self.relu else out


@dataclass(frozen=True, eq=False, kw_only=True)
class Pointwise(Operation):
    """A function that treats every pixel and channel alike."""

    function: Callable[[Tensor], Tensor]
    is_relu: bool = False

    def whole(self, *maps: Tensor) -> Tensor:
        """Pixel by pixel."""
        return self.function(maps[0])


@dataclass(frozen=True, eq=False, kw_only=True)
class Binary(Operation):
    """A function of two maps of one size, pixel by pixel."""

    function: Callable[[Tensor, Tensor], Tensor]
    is_sum: bool = False

    def whole(self, *maps: Tensor) -> Tensor:
        """Pixel by pixel."""
        return self.function(*maps)


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


@dataclass(frozen=True, eq=False, kw_only=True)
class Padding(Operation):
    """Zeros around a map, or pixels cut off its border (negative widths): left, right, top, bottom."""

    widths: tuple[int, int, int, int]
    value: float = 0.0

    @property
    def reach(self) -> tuple[Reach, Reach]:
        """Every pixel reads itself, at another place."""
        return Reach(before=self.widths[2]), Reach(before=self.widths[0])

    @property
    def fill(self) -> float:
        """The value that is padded."""
        return self.value

    def whole(self, *maps: Tensor) -> Tensor:
        """As torch does it."""
        return F.pad(maps[0], self.widths, value=self.value)

    def crop(self, *maps: Tensor) -> Tensor:
        """What is given holds the padding already."""
        return maps[0]
