"""Outlines in micrometres and how they become coverage in pixels.

OpenCV is used to fill polygons and to blur: nothing else draws a few hundred outlines in a few milliseconds.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Plane = NDArray[np.float32]

#: Fractional bits of OpenCV's coordinates: outlines lie between pixels.
_BITS = 4
_CORNERS = np.linspace(0, 2 * np.pi, 56, endpoint=False)
_CIRCLE = np.stack([np.cos(_CORNERS), np.sin(_CORNERS)], axis=1)
#: Two to six waves around the outline, the more the lower.
_ORDERS = np.repeat(np.arange(2, 7), 2)
_WAVES = np.where(np.arange(10) % 2, np.sin(np.outer(_CORNERS, _ORDERS)), np.cos(np.outer(_CORNERS, _ORDERS)))
_WAVES /= np.sqrt(2) * (_ORDERS - 1)


def blob(rng: np.random.Generator, radius: float, roughness: float = 0.03, elongation: float = 1.0) -> Points:
    """Draw a round, wavering outline of the area of a disc of `radius`, centred on 0, turned at random.

    Args:
        rng: Source of the waves and of the turn.
        radius: µm.
        roughness: Size of each wave, as a share of the radius.
        elongation: Long over short axis.

    Returns:
        (n, 2) points x, y in µm.
    """
    reach = radius * (1 + _WAVES @ rng.normal(0, roughness, len(_ORDERS)))
    stretch = np.sqrt(elongation)
    return turn(_CIRCLE * [stretch, 1 / stretch] * reach[:, None], rng.uniform(0, 2 * np.pi))


def turn(points: Points, angle: float) -> Points:
    """Rotate (n, 2) points about 0 by `angle` (radians)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([[cosine, sine], [-sine, cosine]])


class Stencil:
    """A square of the field around one cell: outlines in µm about its centre become coverage in pixels.

    Attributes:
        top: First row in the field (may be negative).
        left: First column in the field (may be negative).
        shape: (height, width) in pixels.
        scale: Pixels a µm.
    """

    def __init__(self, centre: Points, reach: float, scale: float) -> None:
        """Cover `reach` µm to each side of `centre` (x, y in µm)."""
        x, y = centre * scale
        pixels = int(np.ceil(reach * scale)) + 1
        self.left, self.top = int(np.floor(x)) - pixels, int(np.floor(y)) - pixels
        self.shape = (2 * pixels + 1, 2 * pixels + 1)
        self.scale = scale
        # OpenCV's pixel centres are whole numbers, the field's lie at a half.
        self._centre = np.array([x - self.left, y - self.top]) - 0.5

    def fill(self, *outlines: Points) -> Plane:
        """Coverage (0..1, float32) of the union of closed outlines."""
        plane = np.zeros(self.shape, dtype=np.uint8)
        for outline in outlines:
            cv2.fillPoly(plane, [self._fixed(outline)], 255, cv2.LINE_AA, _BITS)
        return plane.astype(np.float32) * np.float32(1 / 255)

    def dot(
        self, centres: Points, radii: NDArray[np.float64] | float, shades: NDArray[np.float64] | float = 1.0
    ) -> Plane:
        """Discs of `radii` µm, each of its own shade (0..1); later ones hide earlier ones."""
        plane = np.zeros(self.shape, dtype=np.uint8)
        sizes = np.maximum(1, np.rint(np.asarray(radii) * self.scale * 2**_BITS)).astype(int)
        levels = np.rint(np.asarray(shades) * 255)
        each = (np.broadcast_to(values, len(centres)).tolist() for values in (sizes, levels))
        for (x, y), size, level in zip(self._fixed(centres).tolist(), *each, strict=True):
            cv2.circle(plane, (x, y), size, level, -1, cv2.LINE_AA, _BITS)
        return plane.astype(np.float32) * np.float32(1 / 255)

    def scatter(self, centres: Points, radius: float, shades: NDArray[np.float64]) -> Plane:
        """Round specks of one `radius` (µm), each of its own shade (0..1), down to less than a pixel."""
        height, width = self.shape
        places = centres * self.scale + self._centre
        inside = np.all((places >= 0) & (places < [width - 1, height - 1]), axis=1)
        places, shades = places[inside], shades[inside]
        corner = places.astype(int)
        part = places - corner
        plane = np.zeros(height * width)
        for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
            weight = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
            np.add.at(plane, (corner[:, 1] + down) * width + corner[:, 0] + right, weight * shades)
        # A Gaussian of the disc's spread; light cannot tell them apart at this size.
        sigma = max(0.5, 0.6 * radius * self.scale)
        peak = 2.2 * (radius * self.scale) ** 2
        return np.minimum(blur(as_plane(plane.reshape(height, width) * peak), sigma), 1)

    def blur(self, plane: Plane, sigma: float) -> Plane:
        """Gaussian blur of `sigma` µm."""
        return blur(plane, sigma * self.scale)

    def average(self, plane: Plane, side: float) -> Plane:
        """Mean over a square of `side` µm: a blur whose cost does not grow with its width."""
        pixels = max(1, round(side * self.scale))
        return as_plane(cv2.blur(plane, (pixels, pixels)))

    def ramp(self, direction: float) -> Plane:
        """Distance (µm, float32) from the centre along `direction` (radians), signed."""
        rows, columns = (np.arange(side, dtype=np.float32) for side in self.shape)
        x, y = (columns[None] - self._centre[0]), (rows[:, None] - self._centre[1])
        return as_plane((x * np.cos(direction) + y * np.sin(direction)) / self.scale)

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        return np.rint((points * self.scale + self._centre) * 2**_BITS).astype(np.int32)


def blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur of `sigma` pixels; below a quarter of a pixel there is nothing to see."""
    return plane if sigma < 0.25 else as_plane(cv2.GaussianBlur(plane, (0, 0), sigma))


def as_plane(array: NDArray[Any]) -> Plane:
    """The same array, which OpenCV's and numpy's types do not promise to be float32."""
    return np.asarray(array, dtype=np.float32)
