"""The sheet a field is drawn on: how much of each dye lies where, and what it belongs to."""

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
    CLONE_NUCLEUS = 4  # of a dysplastic cell or a blast of the disease: what defines the class


class Canvas:
    """Dye concentrations and mask of one field.

    Attributes:
        dye: float32 (height, width, 4), arbitrary units, in the order of `stain`.
        mask: uint8 (height, width), values of `Tissue`.
        scale: Pixels a µm.
    """

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.dye = np.zeros((height, width, 4), dtype=np.float32)
        self.mask = np.zeros((height, width), dtype=np.uint8)
        self.scale = scale

    def add(self, stencil: Stencil, dye: NDArray[np.float32], cover: Plane | None = None) -> None:
        """Lay `dye` (h, w, 4) of a stencil on top; where `cover` (h, w) is 1 it displaces what was there."""
        ours, theirs = self._overlap(stencil)
        if cover is not None:
            self.dye[ours] *= 1 - cover[theirs][..., None]
        self.dye[ours] += dye[theirs]

    def shows(self, stencil: Stencil) -> bool:
        """Whether any of a stencil's pixels lie in the field."""
        (rows, columns), _ = self._overlap(stencil)
        return rows.start < rows.stop and columns.start < columns.stop

    def mark(self, stencil: Stencil, coverage: Plane, tissue: Tissue) -> None:
        """Give the pixels that are covered by more than half to `tissue`."""
        ours, theirs = self._overlap(stencil)
        self.mask[ours][coverage[theirs] > 0.5] = tissue

    def _overlap(self, stencil: Stencil) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        ours, theirs = [], []
        for start, size, limit in zip(
            (stencil.top, stencil.left), stencil.shape, self.mask.shape, strict=True
        ):
            first, last = min(max(start, 0), limit), max(min(start + size, limit), 0)
            ours.append(slice(first, last))
            theirs.append(slice(first - start, max(last - start, first - start)))
        return (ours[0], ours[1]), (theirs[0], theirs[1])
