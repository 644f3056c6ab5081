"""Changes of brightness, contrast, saturation and hue as one matrix."""

import numpy as np
from numpy.typing import NDArray

#: Red, green and blue to luma and the two chroma axes (YIQ, NTSC).
_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = np.linalg.inv(_YIQ)
_LUMA = _YIQ[0]


def colour_matrix(
    mean: NDArray[np.float64], brightness: float, contrast: float, saturation: float, hue: float
) -> NDArray[np.float64]:
    """Compose changes of contrast, brightness, saturation and hue, in this order.

    Each is linear, and so is their composition. The result differs from applying them one by one only where
    an intermediate value would have been clipped at black or white.

    Args:
        mean: (3,) mean red, green and blue of the image; contrast scales values about the luma of this mean.
        brightness: Factor of all values.
        contrast: Factor of the distance from the mean luma.
        saturation: Factor of the distance of a pixel's channels from its luma.
        hue: Rotation of the colour circle from red over yellow to green, 1 is a full turn; luma is kept.

    Returns:
        (3, 4): the weights of red, green, blue and 1 in each new channel.
    """
    angle = 2 * np.pi * hue
    cosine, sine = saturation * np.cos(angle), saturation * np.sin(angle)
    turn = _RGB @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]]) @ _YIQ
    linear = brightness * contrast * turn
    # Saturation and hue leave grey unchanged, so that the offset of contrast is the same for all channels.
    offset = np.full((3, 1), brightness * (1 - contrast) * float(_LUMA @ mean))
    return np.hstack([linear, offset])
