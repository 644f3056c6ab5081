"""How much of a map's positive importance falls on nuclei, cells and background, against their area."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Regions by the values of a mask: 0 background, 1 red cell, 2 cytoplasm, 3 nucleus, 4 nucleus of a cell that
#: defines the class. "Cell" means nucleated cells: cytoplasm and nucleus.
REGIONS: dict[str, tuple[int, ...]] = {
    "background": (0,),
    "red cell": (1,),
    "cell": (2, 3, 4),
    "nucleus": (3, 4),
    "class-defining nucleus": (4,),
}


@dataclass(frozen=True)
class RegionFraction:
    """Importance and area of one region of a map.

    Attributes:
        importance: Fraction of the positive importance, 0..1; NaN where the map has none.
        area: Fraction of the pixels, 0..1.
    """

    importance: float
    area: float

    @property
    def ratio(self) -> float:
        """Importance divided by area: 1 for a map that is unrelated to the region; NaN without area."""
        return self.importance / self.area if self.area > 0 else float("nan")


def measure_regions(importance: npt.ArrayLike, mask: npt.ArrayLike) -> dict[str, RegionFraction]:
    """Importance and area of every region of `REGIONS`.

    Args:
        importance: Drops of the score, not scaled (0 is neutral), shape (H, W).
        mask: Values 0..4, shape (H', W'); a mask of another size is sampled at the centres of the
            map's pixels.

    Raises:
        ValueError: The mask has other values.
    """
    values = _sample(np.asarray(mask), np.shape(importance))
    if values.size and (values.min() < 0 or values.max() > 4):
        raise ValueError(
            f"mask holds values from {values.min()} to {values.max()}, not 0 background, 1 red cell, "
            "2 cytoplasm, 3 nucleus, 4 nucleus of a class-defining cell"
        )
    return {name: measure_inside(importance, np.isin(values, members)) for name, members in REGIONS.items()}


def measure_boxes(
    importance: npt.ArrayLike, boxes: Sequence[Sequence[float]], size: tuple[int, int] | None = None
) -> RegionFraction:
    """Importance and area inside the union of `boxes`.

    Args:
        importance: Drops of the score, not scaled, shape (H, W).
        boxes: (left, top, right, bottom) in pixels of the image they were drawn on.
        size: (height, width) of that image; None: the size of the map.
    """
    height, width = np.shape(importance)
    rows, columns = size or (height, width)
    # A pixel belongs to a box if its centre does.
    y, x = (np.arange(height) + 0.5) * rows / height, (np.arange(width) + 0.5) * columns / width
    inside = np.zeros((height, width), dtype=bool)
    for left, top, right, bottom in boxes:
        inside |= ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))
    return measure_inside(importance, inside)


def measure_inside(importance: npt.ArrayLike, inside: npt.NDArray[np.bool_]) -> RegionFraction:
    """Importance and area of the pixels where `inside` is true; both of shape (H, W)."""
    positive = np.clip(np.asarray(importance, dtype=np.float64), 0, None)
    total = positive.sum()
    fraction = float(positive[inside].sum() / total) if total > 0 else float("nan")
    return RegionFraction(fraction, float(inside.mean()))


def _sample(mask: npt.NDArray[np.integer], shape: tuple[int, ...]) -> npt.NDArray[np.integer]:
    rows, columns = (
        ((np.arange(target) + 0.5) * source / target).astype(int)
        for target, source in zip(shape, mask.shape, strict=True)
    )
    return mask[rows[:, None], columns]
