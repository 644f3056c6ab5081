"""Operations that can be computed on a crop of a map: the base class, and those that act on single pixels.

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
from mds_lightning.explain.incremental.program.receptive_field import POINTWISE, ReceptiveField

Source = tuple[Segment, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation(ABC):
    """One step of a program.

    Attributes:
        label: Name of the node of the graph, for messages.
        inputs: The channels that are read, one source for each input.
        output: Number of the map that is computed.
        shape: (channels, height, width) of that map.
    """

    label: str
    inputs: tuple[Source, ...]
    output: int
    shape: tuple[int, int, int]

    @property
    def receptive_field(self) -> tuple[ReceptiveField, ReceptiveField]:
        """Of the first input, vertically and horizontally; all other inputs are read pixel by pixel."""
        return POINTWISE

    @property
    def fill(self) -> float:
        """Value of the padding around the first input."""
        return 0.0

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations per pixel of the output."""
        return 0

    @abstractmethod
    def whole(self, *maps: Tensor) -> Tensor:
        """The entire output."""

    def crop(self, *maps: Tensor) -> Tensor:
        """Output pixels whose receptive field is inside the first input.

        All other inputs have the output's size.
        """
        return self.whole(*maps)


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Operation):
    """Scale and shift of every channel (batch norm that was not folded into a convolution), then ReLU."""

    scale: Tensor
    shift: Tensor
    relu: bool = False

    def whole(self, *maps: Tensor) -> Tensor:
        """Pixel by pixel."""
        out = torch.addcmul(self.shift[:, None, None], maps[0], self.scale[:, None, None])
        return out.relu_() if self.relu else out


@dataclass(frozen=True, eq=False, kw_only=True)
class Pointwise(Operation):
    """A function that is the same for every pixel and channel."""

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
    def receptive_field(self) -> tuple[ReceptiveField, ReceptiveField]:
        """Every pixel reads one pixel, at another position."""
        return ReceptiveField(padding=self.widths[2]), ReceptiveField(padding=self.widths[0])

    @property
    def fill(self) -> float:
        """The value that is padded."""
        return self.value

    def whole(self, *maps: Tensor) -> Tensor:
        """By `torch.nn.functional.pad`."""
        return F.pad(maps[0], self.widths, value=self.value)

    def crop(self, *maps: Tensor) -> Tensor:
        """The crop contains the padding already."""
        return maps[0]
