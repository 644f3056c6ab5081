"""Receptive fields: which pixels of its input an operation's output depends on, one axis at a time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReceptiveField:
    """How one axis of an operation's output depends on the same axis of its input.

    Output pixel `o` reads `kernel` input pixels, the first of which is `o * stride - padding`; those outside
    the map are padding. An operation without such a rule is not local.

    Attributes:
        kernel: Pixels read, from the first to the last: with dilation d and k taps d * (k - 1) + 1.
        stride: Step of the input for a step of the output.
        padding: Pixels of padding before the first pixel; negative where the map is cropped.
    """

    kernel: int = 1
    stride: int = 1
    padding: int = 0

    @property
    def is_pointwise(self) -> bool:
        """Whether every output pixel reads the input pixel of the same position and no other."""
        return self == ReceptiveField()

    def needs(self, start: Integers, length: int) -> tuple[Integers, int]:
        """First input pixel and number of input pixels that `length` output pixels from `start` on read."""
        return start * self.stride - self.padding, (length - 1) * self.stride + self.kernel

    def changes(self, start: Integers, stop: Integers, length: int) -> tuple[Integers, Integers]:
        """Output pixels [start, stop) that may change with the input pixels [start, stop).

        Args:
            start: First changed input pixel.
            stop: One past the last changed input pixel, above `start`.
            length: Pixels of the output.

        Returns:
            Extents of at least one pixel inside the output. Where nothing changes (a stride that skips the
            pixels, a border that is cropped), one unchanged pixel.
        """
        first = -(-(start + self.padding - self.kernel + 1) // self.stride)
        last = (stop - 1 + self.padding) // self.stride
        first = np.clip(first, 0, length - 1)
        return first, np.clip(np.maximum(last, first), 0, length - 1) + 1


#: Vertical and horizontal receptive field of an operation that acts on single pixels.
POINTWISE = (ReceptiveField(), ReceptiveField())
