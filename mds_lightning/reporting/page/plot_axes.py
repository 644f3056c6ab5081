"""From numbers to places in an SVG drawing: what the page's templates draw with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Frame:
    """A rectangle of a drawing and the ranges that it shows.

    Attributes:
        width: Of the whole drawing, in its own units.
        height: Likewise.
        left: Margin.
        right: Margin.
        top: Margin.
        bottom: Margin.
        x_range: Values at the left and right edge.
        y_range: Values at the lower and upper edge.
    """

    width: float = 460.0
    height: float = 460.0
    left: float = 56.0
    right: float = 14.0
    top: float = 14.0
    bottom: float = 50.0
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)

    @property
    def inner(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the rectangle."""
        return (
            self.left,
            self.top,
            self.width - self.left - self.right,
            self.height - self.top - self.bottom,
        )

    def x(self, value: float) -> float:
        """Horizontal place of `value`, held inside the rectangle."""
        left, _, width, _ = self.inner
        low, high = self.x_range
        share = min(max((float(value) - low) / (high - low), 0.0), 1.0)
        return round(left + share * width, 2)

    def y(self, value: float) -> float:
        """Vertical place of `value`, held inside the rectangle."""
        _, top, _, height = self.inner
        low, high = self.y_range
        share = min(max((float(value) - low) / (high - low), 0.0), 1.0)
        return round(top + (1 - share) * height, 2)

    def line(self, xs: Iterable[float], ys: Iterable[float]) -> str:
        """A path through the points that are numbers."""
        points = [
            f"{self.x(x):g} {self.y(y):g}"
            for x, y in zip(xs, ys, strict=True)
            if np.isfinite(x) and np.isfinite(y)
        ]
        return "M" + "L".join(points) if points else ""

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
        """A closed path around everything between `low` and `high`."""
        known = [k for k in range(len(xs)) if np.isfinite(low[k]) and np.isfinite(high[k])]
        if not known:
            return ""
        there = self.line([xs[k] for k in known], [high[k] for k in known])
        back = self.line([xs[k] for k in reversed(known)], [low[k] for k in reversed(known)])
        return f"{there}L{back[1:]}Z"

    def ticks(self, axis: str, count: int = 5) -> list[tuple[float, float, str]]:
        """(value, place, text) of round values along `x` or `y`."""
        low, high = self.x_range if axis == "x" else self.y_range
        step = _round_step((high - low) / count)
        first = int(np.ceil(low / step - 1e-9))
        values = [k * step for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]
        digits = max(0, -int(np.floor(np.log10(step))))
        place = self.x if axis == "x" else self.y
        return [(value, place(value), f"{value:.{digits}f}") for value in values]


def _round_step(step: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten that is not below `step`."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= step * (1 - 1e-9)))
