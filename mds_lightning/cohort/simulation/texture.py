"""Smooth random textures in micrometres: chromatin, granular cytoplasm, uneven plasma.

All textures are cut from a few large tiles that are made once per process from a fixed seed.
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mds_lightning.cohort.simulation.outline import as_plane

#: Texels per µm, above the optical resolution.
_PITCH = 5.0
_SIDE = 768
#: Correlation lengths (standard deviation of the blur, µm) of the tiles.
_GRAINS = (0.16, 0.24, 0.36, 0.54, 0.8, 1.2, 2.5)


def cut_texture(
    rng: np.random.Generator, grain: float, shape: tuple[int, int], scale: float
) -> NDArray[np.float32]:
    """Cut a random texture of zero mean and unit variance.

    Args:
        rng: Determines the position in the tile.
        grain: Correlation length in µm; the tile with the nearest one is used.
        shape: (height, width) in pixels.
        scale: Pixels per µm.

    Returns:
        float32 (height, width); the position does not depend on the scale.
    """
    tile = _tile(min(_GRAINS, key=lambda known: abs(known - grain)))
    row, column = rng.random(2)
    height, width = (min(_SIDE, max(2, round(side * _PITCH / scale))) for side in shape)
    top, left = int(row * (_SIDE - height + 1)), int(column * (_SIDE - width + 1))
    cut = tile[top : top + height, left : left + width]
    method = cv2.INTER_AREA if scale < _PITCH else cv2.INTER_CUBIC
    return as_plane(cv2.resize(cut, (shape[1], shape[0]), interpolation=method))


@cache
def _tile(grain: float) -> NDArray[np.float32]:
    rng = np.random.default_rng([2022, _GRAINS.index(grain)])
    noise = ndimage.gaussian_filter(rng.standard_normal((_SIDE, _SIDE)), grain * _PITCH, mode="wrap")
    return (noise / noise.std()).astype(np.float32)
