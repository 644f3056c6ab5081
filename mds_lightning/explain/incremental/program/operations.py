"""What can be computed on a crop of a map, and the operations that act pixel by pixel.

Maps are tensors of shape (n, C, H, W). `whole` computes an entire map, with the operation's own padding;
`crop` computes the pixels whose neighbourhood lies inside the tensor that is given, as if there were no
padding.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mds_lightning.explain.incremental.program.channels import Segment
from mds_lightning.explain.incremental.program.receptive_field import Reach

Source = tuple[Segment, ...]
_POINT = (Reach(), Reach())


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
