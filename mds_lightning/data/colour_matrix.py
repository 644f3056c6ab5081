"""Shifts of brightness, contrast, saturation and hue as one matrix."""

import numpy as np
from numpy.typing import NDArray

#: Red, green, blue to luma and the two axes of colour (YIQ, as NTSC defines it).
_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = np.linalg.inv(_YIQ)
_LUMA = _YIQ[0]


def colour_matrix(
    mean: NDArray[np.float64], brightness: float, contrast: float, saturation: float, hue: float
) -> NDArray[np.float64]:
    """The shifts one behind the other: contrast, brightness, saturation, hue.

    Each is linear, so that together they are; only where a step would have been cut at black or white before
    the next one is the result another.

    Args:
        mean: Mean red, green and blue of the image: contrast spreads values about their luma.
        brightness: Factor of all values.
        contrast: Factor of the distance from the mean luma.
        saturation: Factor of the distance of a pixel's colours from its luma.
        hue: Turn of the colour circle from red over yellow to green, 1 all round; luma stays.

    Returns:
        (3, 4): what red, green, blue and 1 contribute to each new colour.
    """
    angle = 2 * np.pi * hue
    cosine, sine = saturation * np.cos(angle), saturation * np.sin(angle)
    turn = _RGB @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]]) @ _YIQ
    linear = brightness * contrast * turn
    # Grey stays grey under saturation and hue: what contrast adds is the same for all colours.
    offset = np.full((3, 1), brightness * (1 - contrast) * float(_LUMA @ mean))
    return np.hstack([linear, offset])
