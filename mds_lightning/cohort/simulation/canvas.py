"""The canvas of a field: dye concentrations and the mask."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.simulation.outline import Plane, Stencil


class Tissue(IntEnum):
    """Values of a mask."""

    BACKGROUND = 0
    RED_CELL = 1
    CYTOPLASM = 2
    NUCLEUS = 3
    CLONE_NUCLEUS = 4  # of a dysplastic cell or of a blast of the disease, which define the class


class Canvas:
    """Dye concentrations and mask of one field.

    Attributes:
        dye: float32 (height, width, 4), arbitrary units, in the order of `stain`.
        mask: uint8 (height, width), values of `Tissue`.
        scale: Pixels per µm.
    """

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.dye = np.zeros((height, width, 4), dtype=np.float32)
        self.mask = np.zeros((height, width), dtype=np.uint8)
        self.scale = scale

    def add(self, stencil: Stencil, dye: NDArray[np.float32], cover: Plane | None = None) -> None:
        """Add `dye` (h, w, 4) of a stencil; where `cover` (h, w) is 1 it replaces the previous dye."""
        own, other = self._overlap(stencil)
        if cover is not None:
            self.dye[own] *= 1 - cover[other][..., None]
        self.dye[own] += dye[other]

    def shows(self, stencil: Stencil) -> bool:
        """Whether any pixel of a stencil is inside the field."""
        (rows, columns), _ = self._overlap(stencil)
        return rows.start < rows.stop and columns.start < columns.stop

    def mark(self, stencil: Stencil, coverage: Plane, tissue: Tissue) -> None:
        """Set the mask to `tissue` where the coverage exceeds one half."""
        own, other = self._overlap(stencil)
        self.mask[own][coverage[other] > 0.5] = tissue

    def _overlap(self, stencil: Stencil) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        own, other = [], []
        for start, size, limit in zip(
            (stencil.top, stencil.left), stencil.shape, self.mask.shape, strict=True
        ):
            first, last = min(max(start, 0), limit), max(min(start + size, limit), 0)
            own.append(slice(first, last))
            other.append(slice(first - start, max(last - start, first - start)))
        return (own[0], own[1]), (other[0], other[1])
