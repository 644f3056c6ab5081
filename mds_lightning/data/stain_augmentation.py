"""Stain augmentation: random amounts of each dye, varied in optical density, where dyes are additive."""

import cv2
import numpy as np
from numpy.typing import NDArray

#: Optical density of red, green and blue per unit of haematoxylin (blue, like azure), eosin and the residual
#: (Ruifrok & Johnston, Anal Quant Cytol Histol 2001).
DENSITY = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
_AMOUNTS = np.linalg.inv(DENSITY)
#: Byte value to optical density; 1 is added, so that it is finite for black.
_OPTICAL = -np.log((np.arange(256) + 1) / 256).astype(np.float32)


def vary_stain(
    image: NDArray[np.uint8], factors: NDArray[np.float64], shifts: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Multiply the amount of each dye by a factor and add a shift (Tellez et al., IEEE TMI 2018).

    Args:
        image: RGB, uint8, (H, W, 3).
        factors: (3,) for the blue dye, eosin and the residual; 1: unchanged.
        shifts: (3,), in units of optical density; 0: unchanged.

    Returns:
        An image of the same shape and dtype.
    """
    linear = DENSITY.T @ np.diag(factors) @ _AMOUNTS.T
    matrix = np.column_stack([linear, DENSITY.T @ shifts])
    density = cv2.transform(cv2.LUT(image, _OPTICAL), -matrix)
    light = cv2.exp(density)
    return cv2.convertScaleAbs(np.maximum(light, 1 / 256), alpha=256, beta=-1).astype(np.uint8, copy=False)
