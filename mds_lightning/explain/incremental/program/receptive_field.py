"""Which pixels of an operation's output a change of its input can reach, on one axis at a time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Reach:
    """How one axis of an operation's output depends on the same axis of its input.

    Output pixel `o` reads the input pixels from `o * stride - before` on, `kernel` of them (those beyond the
    map are padding). Operations of which no such rule is known are not local.

    Attributes:
        kernel: Pixels read, from the first to the last: with dilation d and k taps d * (k - 1) + 1.
        stride: Step of the input for a step of the output.
        before: Padding before the first pixel; negative where the map is cropped.
    """

    kernel: int = 1
    stride: int = 1
    before: int = 0

    @property
    def is_pointwise(self) -> bool:
        """Whether every output pixel reads the input pixel of the same place and no other."""
        return self == Reach()

    def needs(self, start: Integers, length: int) -> tuple[Integers, int]:
        """First input pixel and number of input pixels that `length` output pixels from `start` on read."""
        return start * self.stride - self.before, (length - 1) * self.stride + self.kernel

    def changes(self, start: Integers, stop: Integers, length: int) -> tuple[Integers, Integers]:
        """Output pixels [start, stop) that may change with the input pixels [start, stop).

        Args:
            start: First changed input pixel.
            stop: One past the last changed input pixel, above `start`.
            length: Pixels of the output.

        Returns:
            Extents of at least one pixel inside the output; where nothing changes (a stride that skips the
            pixels, a border that is cut off), some pixel that is then recomputed in vain.
        """
        first = -(-(start + self.before - self.kernel + 1) // self.stride)
        last = (stop - 1 + self.before) // self.stride
        first = np.clip(first, 0, length - 1)
        return first, np.clip(np.maximum(last, first), 0, length - 1) + 1
