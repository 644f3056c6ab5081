"""Placement of windows on an image, and averaging of their scores to a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mds_lightning.explain.setting_types import Length

if TYPE_CHECKING:
    from torch import Tensor

#: First pixel and one past the last pixel that a window covers on one axis.
Interval: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class WindowGrid:
    """Square windows of one size at regular steps; those that cross the border are cut.

    The first window starts at the first pixel and the last one reaches the border, as in captum's
    `Occlusion`.

    Attributes:
        height: Of the image, pixels.
        width: Of the image, pixels.
        window: Side of a window, pixels.
        stride: Step between windows, pixels; at most `window`, so that every pixel is covered.
    """

    height: int
    width: int
    window: int
    stride: int

    @property
    def rows(self) -> tuple[Interval, ...]:
        """Vertical extents of the windows, from the top."""
        return _intervals(self.height, self.window, self.stride)

    @property
    def columns(self) -> tuple[Interval, ...]:
        """Horizontal extents of the windows, from the left."""
        return _intervals(self.width, self.window, self.stride)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows down and across."""
        return len(self.rows), len(self.columns)

    def __len__(self) -> int:
        down, across = self.shape
        return down * across

    def spread(self, drops: "Tensor") -> "Tensor":
        """Average, for every pixel, over the windows that cover it.

        Args:
            drops: Of shape (..., rows, columns), one value per window.

        Returns:
            Shape (..., height, width), same dtype and device.
        """
        down, across = (
            _membership(intervals, length).to(drops)
            for intervals, length in ((self.rows, self.height), (self.columns, self.width))
        )
        # The number of windows over a pixel is a product over both axes: each axis is averaged separately.
        return down.T @ drops @ across


def place_windows(height: int, width: int, window: Length, stride: Length) -> WindowGrid:
    """Place windows on an image.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        window: Side of the square window, at least one pixel; larger than the image means all of it.
        stride: Step, not larger than the window.

    Raises:
        ValueError: A length is zero, negative or a fraction above 1, or the stride leaves pixels uncovered.
    """
    longer = max(height, width)
    sides = {"window": _pixels("window", window, longer), "stride": _pixels("stride", stride, longer)}
    if sides["stride"] > sides["window"]:
        raise ValueError(
            f"stride of {sides['stride']} pixels with a window of {sides['window']} pixels leaves pixels "
            "that no window covers: give a stride of at most the window"
        )
    return WindowGrid(height, width, **sides)


def _pixels(name: str, length: Length, longer: int) -> int:
    if isinstance(length, bool) or not isinstance(length, int | float):
        raise ValueError(
            f"{name} is {length!r}: give pixels (an int) or a fraction of the longer side (a float)"
        )
    if isinstance(length, float):
        if not 0 < length <= 1:
            raise ValueError(
                f"{name} is {length}: a float is a fraction of the image's longer side, above 0 and up to 1; "
                "give pixels as an int"
            )
        return max(1, round(length * longer))
    if length < 1:
        raise ValueError(f"{name} is {length}: give 1 pixel or more")
    return length


def _intervals(length: int, window: int, stride: int) -> tuple[Interval, ...]:
    steps = max(0, -(-(length - window) // stride))
    return tuple((step * stride, min(step * stride + window, length)) for step in range(steps + 1))


def _membership(intervals: Sequence[Interval], length: int) -> "Tensor":
    """(windows, pixels): 1 / (number of windows over the pixel) where the window covers it, else 0."""
    # Not at the top of the file: the settings of an explanation are read without torch.
    import torch

    covered = torch.zeros(len(intervals), length, dtype=torch.float64)
    for index, (start, stop) in enumerate(intervals):
        covered[index, start:stop] = 1
    return covered / covered.sum(0)
