"""Microscope and camera: converts transmitted light to an 8-bit photograph."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.simulation.outline import as_plane, blur


@dataclass(frozen=True)
class Scanner:
    """One site's microscope and camera.

    Attributes:
        white: Intensity of empty glass in red, green and blue (0..1).
        contrast: Change of the middle tones by the camera's tone curve; below 0: darker.
        vignette: Fraction of light lost in the corners.
        slope: Fraction of light by which one side is darker than the opposite one.
        slope_angle: Direction of that slope, radians.
        sigma: Optical blur, µm.
        sharpening: Weight of the camera's unsharp mask.
        noise: Standard deviation of the camera's noise at white, in 8-bit steps.
    """

    white: tuple[float, float, float]
    contrast: float
    vignette: float
    slope: float
    slope_angle: float
    sigma: float
    sharpening: float
    noise: float

    def record(self, rng: np.random.Generator, light: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
        """Take the photograph.

        Args:
            rng: Determines focus, position of the slide under the lamp, exposure and noise.
            light: float32 (height, width, 3) RGB, fraction of light that is transmitted (0..1).
            scale: Pixels per µm.

        Returns:
            uint8 (height, width, 3) RGB.
        """
        focus = self.sigma * rng.uniform(0.8, 1.5)
        image = light * self._lamp(rng, light.shape[0], light.shape[1])
        image = blur(image, focus * scale)
        if self.sharpening:
            image += self.sharpening * (image - blur(image, 0.3 * scale))
        np.clip(image, 0, 1, out=image)
        image += self.contrast * image * (1 - image)
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        noise *= image * (0.6 * self.noise / 255) + 0.4 * self.noise / 255
        image += noise
        return np.asarray(cv2.convertScaleAbs(image, alpha=255.0), dtype=np.uint8)

    def _lamp(self, rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
        centre = rng.normal(0, 0.1, 2)
        angle = self.slope_angle + rng.normal(0, 0.3)
        exposure = rng.normal(1, 0.012)
        y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] - np.float32(centre[0])
        x = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None] - np.float32(centre[1])
        across = 0.5 + x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
        fall = as_plane(exposure * (1 - 2 * self.vignette * (x**2 + y**2) - self.slope * across))
        return fall[..., None] * np.array(self.white, dtype=np.float32)


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw a site's microscope and camera."""
    return Scanner(
        white=(rng.uniform(0.90, 0.95), rng.uniform(0.88, 0.93), rng.uniform(0.88, 0.95)),
        contrast=rng.uniform(-0.12, 0.12),
        vignette=rng.uniform(0.03, 0.16),
        slope=rng.uniform(0.0, 0.08),
        slope_angle=rng.uniform(0, 2 * np.pi),
        sigma=rng.uniform(0.09, 0.15),
        sharpening=rng.uniform(0.1, 0.5),
        noise=rng.uniform(1.5, 4.0),
    )
