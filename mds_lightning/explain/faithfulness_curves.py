"""The record of deletion and insertion curves; needs no torch, so that readers of maps start quickly."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FaithfulnessCurves:
    """Scores of one image while a growing fraction of its pixels (0 to 1 in equal steps) is changed.

    Attributes:
        deletion: (steps + 1,): the most important pixels are covered first; falls early for a faithful map.
        insertion: (steps + 1,): the most important pixels are uncovered first, starting from the covered
            image; rises early for a faithful map.
        random: (steps + 1,): patches are covered in a random order; read backwards, they are uncovered in
            the reverse order, so it is the reference of both curves.
    """

    deletion: Curve
    insertion: Curve
    random: Curve


def area_under(curve: npt.ArrayLike) -> float:
    """Mean score along a curve with equal steps, by the trapezoidal rule."""
    values = np.asarray(curve, dtype=np.float64)
    return float((values[1:] + values[:-1]).mean() / 2)
