"""Outlines in micrometres, and their conversion to coverage of pixels.

OpenCV fills polygons and blurs; it draws a few hundred outlines in a few milliseconds.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Plane = NDArray[np.float32]

#: Fractional bits of OpenCV's coordinates, for outlines between pixel positions.
_BITS = 4
_CORNERS = np.linspace(0, 2 * np.pi, 56, endpoint=False)
_CIRCLE = np.stack([np.cos(_CORNERS), np.sin(_CORNERS)], axis=1)
#: Two to six waves around the outline; amplitudes decrease with their number.
_ORDERS = np.repeat(np.arange(2, 7), 2)
_WAVES = np.where(np.arange(10) % 2, np.sin(np.outer(_CORNERS, _ORDERS)), np.cos(np.outer(_CORNERS, _ORDERS)))
_WAVES /= np.sqrt(2) * (_ORDERS - 1)


def blob(rng: np.random.Generator, radius: float, roughness: float = 0.03, elongation: float = 1.0) -> Points:
    """Draw a round, irregular outline with the area of a disc of `radius`, centred on 0, rotated at random.

    Args:
        rng: Determines the waves and the rotation.
        radius: µm.
        roughness: Amplitude of each wave, as a fraction of the radius.
        elongation: Ratio of long to short axis.

    Returns:
        (n, 2) points x, y in µm.
    """
    distance = radius * (1 + _WAVES @ rng.normal(0, roughness, len(_ORDERS)))
    stretch = np.sqrt(elongation)
    return rotate(_CIRCLE * [stretch, 1 / stretch] * distance[:, None], rng.uniform(0, 2 * np.pi))


def rotate(points: Points, angle: float) -> Points:
    """Rotate (n, 2) points about 0 by `angle` (radians)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([[cosine, sine], [-sine, cosine]])


class Stencil:
    """A square of the field around one cell, in which outlines in µm are converted to coverage of pixels.

    Attributes:
        top: First row in the field (may be negative).
        left: First column in the field (may be negative).
        shape: (height, width) in pixels.
        scale: Pixels per µm.
    """

    def __init__(self, centre: Points, half_width: float, scale: float) -> None:
        """Cover `half_width` µm to each side of `centre` (x, y in µm)."""
        x, y = centre * scale
        pixels = int(np.ceil(half_width * scale)) + 1
        self.left, self.top = int(np.floor(x)) - pixels, int(np.floor(y)) - pixels
        self.shape = (2 * pixels + 1, 2 * pixels + 1)
        self.scale = scale
        # Pixel centres are at integers in OpenCV, and at half-integers in the field.
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
        """Discs of `radii` µm, each with its own shade (0..1); later discs cover earlier ones."""
        plane = np.zeros(self.shape, dtype=np.uint8)
        sizes = np.maximum(1, np.rint(np.asarray(radii) * self.scale * 2**_BITS)).astype(int)
        levels = np.rint(np.asarray(shades) * 255)
        each = (np.broadcast_to(values, len(centres)).tolist() for values in (sizes, levels))
        for (x, y), size, level in zip(self._fixed(centres).tolist(), *each, strict=True):
            cv2.circle(plane, (x, y), size, level, -1, cv2.LINE_AA, _BITS)
        return plane.astype(np.float32) * np.float32(1 / 255)

    def scatter(self, centres: Points, radius: float, shades: NDArray[np.float64]) -> Plane:
        """Round specks of one `radius` (µm, also below a pixel), each with its own shade (0..1)."""
        height, width = self.shape
        places = centres * self.scale + self._centre
        inside = np.all((places >= 0) & (places < [width - 1, height - 1]), axis=1)
        places, shades = places[inside], shades[inside]
        corner = places.astype(int)
        offset = places - corner
        plane = np.zeros(height * width)
        for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
            weight = np.abs(1 - right - offset[:, 0]) * np.abs(1 - down - offset[:, 1])
            np.add.at(plane, (corner[:, 1] + down) * width + corner[:, 0] + right, weight * shades)
        # A Gaussian with the spread of the disc, which looks the same at this size.
        sigma = max(0.5, 0.6 * radius * self.scale)
        peak = 2.2 * (radius * self.scale) ** 2
        return np.minimum(blur(as_plane(plane.reshape(height, width) * peak), sigma), 1)

    def blur(self, plane: Plane, sigma: float) -> Plane:
        """Gaussian blur of `sigma` µm."""
        return blur(plane, sigma * self.scale)

    def average(self, plane: Plane, side: float) -> Plane:
        """Mean over a square of `side` µm, at a cost independent of its size."""
        pixels = max(1, round(side * self.scale))
        return as_plane(cv2.blur(plane, (pixels, pixels)))

    def ramp(self, direction: float) -> Plane:
        """Signed distance (µm, float32) from the centre along `direction` (radians)."""
        rows, columns = (np.arange(side, dtype=np.float32) for side in self.shape)
        x, y = (columns[None] - self._centre[0]), (rows[:, None] - self._centre[1])
        return as_plane((x * np.cos(direction) + y * np.sin(direction)) / self.scale)

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        return np.rint((points * self.scale + self._centre) * 2**_BITS).astype(np.int32)


def blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur of `sigma` pixels; below a quarter of a pixel the plane is returned unchanged."""
    return plane if sigma < 0.25 else as_plane(cv2.GaussianBlur(plane, (0, 0), sigma))


def as_plane(array: NDArray[Any]) -> Plane:
    """The array as float32, which the type annotations of OpenCV and numpy do not guarantee."""
    return np.asarray(array, dtype=np.float32)
