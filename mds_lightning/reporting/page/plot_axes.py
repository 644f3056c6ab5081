"""Conversion of data values to SVG coordinates, used by the templates of the report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PlotAxes:
    """A plotting area inside an SVG drawing and the data ranges that it shows.

    Attributes:
        width: Width of the whole drawing, SVG user units.
        height: Height of the whole drawing.
        left: Left margin.
        right: Right margin.
        top: Top margin.
        bottom: Bottom margin.
        x_range: Data values at the left and right edge of the plotting area.
        y_range: Data values at its lower and upper edge.
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
        """Left, top, width and height of the plotting area."""
        return (
            self.left,
            self.top,
            self.width - self.left - self.right,
            self.height - self.top - self.bottom,
        )

    def x(self, value: float) -> float:
        """Horizontal coordinate of `value`, clipped to the plotting area."""
        left, _, width, _ = self.inner
        low, high = self.x_range
        fraction = min(max((float(value) - low) / (high - low), 0.0), 1.0)
        return round(left + fraction * width, 2)

    def y(self, value: float) -> float:
        """Vertical coordinate of `value`, clipped to the plotting area."""
        _, top, _, height = self.inner
        low, high = self.y_range
        fraction = min(max((float(value) - low) / (high - low), 0.0), 1.0)
        return round(top + (1 - fraction) * height, 2)

    def line(self, xs: Iterable[float], ys: Iterable[float]) -> str:
        """SVG path data through all finite points; empty without any."""
        points = [
            f"{self.x(x):g} {self.y(y):g}"
            for x, y in zip(xs, ys, strict=True)
            if np.isfinite(x) and np.isfinite(y)
        ]
        return "M" + "L".join(points) if points else ""

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
        """SVG path data of the closed area between `low` and `high`; empty without finite points."""
        known = [k for k in range(len(xs)) if np.isfinite(low[k]) and np.isfinite(high[k])]
        if not known:
            return ""
        upper = self.line([xs[k] for k in known], [high[k] for k in known])
        lower = self.line([xs[k] for k in reversed(known)], [low[k] for k in reversed(known)])
        return f"{upper}L{lower[1:]}Z"

    def ticks(self, axis: str, count: int = 5) -> list[tuple[float, float, str]]:
        """(value, coordinate, label) of round values along axis `x` or `y`."""
        low, high = self.x_range if axis == "x" else self.y_range
        step = _round_step((high - low) / count)
        first = int(np.ceil(low / step - 1e-9))
        values = [k * step for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]
        digits = max(0, -int(np.floor(np.log10(step))))
        coordinate = self.x if axis == "x" else self.y
        return [(value, coordinate(value), f"{value:.{digits}f}") for value in values]


def _round_step(step: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is at least `step`."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= step * (1 - 1e-9)))
