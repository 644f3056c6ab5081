"""May-Grünwald-Giemsa as optical densities: dyes add up, light is what they let through (Beer and Lambert).

The Romanowsky effect is modelled by a dye of its own: azure B that has taken up eosin is purple, and neither
pink nor blue. Haemoglobin is no dye but absorbs as one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Channels of every concentration map, in this order.
EOSIN, AZURE, BLUE, HAEMOGLOBIN = range(4)

#: Napierian optical density (R, G, B) of unit concentration: pink, purple, blue, straw.
_DENSITY = np.array(
    [[0.05, 0.62, 0.30], [0.80, 1.50, 0.50], [0.85, 0.58, 0.13], [0.06, 0.22, 0.38]], dtype=np.float32
)


@dataclass(frozen=True)
class Stain:
    """How strongly, and in which hue, a slide took up its dyes.

    Attributes:
        density: float32 (4, 3), optical density in red, green and blue of unit concentration of each dye.
    """

    density: NDArray[np.float32]

    def absorb(self, concentration: NDArray[np.float32]) -> NDArray[np.float32]:
        """Share of light (0..1], float32 (height, width, 3) RGB, that passes (height, width, 4) of dye."""
        return np.exp(-(concentration @ self.density))


#: The stain every site and patient departs from.
REFERENCE = Stain(_DENSITY)


def vary_stain(
    stain: Stain, rng: np.random.Generator, strength: float, hue: float, shift: float = 0.0
) -> Stain:
    """Return `stain` as another laboratory or another slide would have it.

    Args:
        stain: Where it departs from.
        rng: Draws the departure.
        strength: Standard deviation of the logarithm of each dye's strength.
        hue: Standard deviation of the logarithm of each dye's density in red, green and blue.
        shift: Logarithm by which eosin rises and azure and blue fall on top: the confounder.
    """
    dyes = rng.normal(0, strength, 4) + rng.normal(0, strength)  # each dye, and the time in the jar
    colours = rng.normal(0, hue, (4, 3))
    dyes += shift * np.array([1.0, -1.0, -1.0, 0.5])
    return Stain((stain.density * np.exp(dyes[:, None] + colours)).astype(np.float32))
