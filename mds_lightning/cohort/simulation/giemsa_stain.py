"""May-Grünwald-Giemsa stain as optical densities, which add up (Beer-Lambert law).

The Romanowsky effect is modelled by a separate dye: azure B with bound eosin is purple, neither pink nor
blue. Haemoglobin is not a dye but absorbs light like one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Channels of concentration maps.
EOSIN, AZURE, BLUE, HAEMOGLOBIN = range(4)

#: Napierian optical density (R, G, B) of unit concentration: pink, purple, blue, straw.
_DENSITY = np.array(
    [[0.05, 0.62, 0.30], [0.80, 1.50, 0.50], [0.85, 0.58, 0.13], [0.06, 0.22, 0.38]], dtype=np.float32
)


@dataclass(frozen=True)
class Stain:
    """Strength and hue of the stain of a slide.

    Attributes:
        density: float32 (4, 3), optical density in red, green and blue of unit concentration of each dye.
    """

    density: NDArray[np.float32]

    def absorb(self, concentration: NDArray[np.float32]) -> NDArray[np.float32]:
        """Transmitted fraction of light, float32 (height, width, 3) RGB, for dye of (height, width, 4)."""
        return np.exp(-(concentration @ self.density))


#: The stain that sites and patients vary.
REFERENCE = Stain(_DENSITY)


def vary_stain(
    stain: Stain, rng: np.random.Generator, strength: float, hue: float, shift: float = 0.0
) -> Stain:
    """Vary a stain at random, as between laboratories or slides.

    Args:
        stain: The stain to vary.
        rng: Determines the variation.
        strength: Standard deviation of the logarithm of each dye's strength.
        hue: Standard deviation of the logarithm of each dye's density in red, green and blue.
        shift: Additional logarithm by which eosin increases and azure and blue decrease: the confounder.
    """
    dyes = rng.normal(0, strength, 4) + rng.normal(0, strength)  # each dye, and the staining time
    colours = rng.normal(0, hue, (4, 3))
    dyes += shift * np.array([1.0, -1.0, -1.0, 0.5])
    return Stain((stain.density * np.exp(dyes[:, None] + colours)).astype(np.float32))
