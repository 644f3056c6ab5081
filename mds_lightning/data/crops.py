"""The crops of a field that the network classifies one by one."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from mds_lightning.data.resize_spec import ResizeSpec


class Crop(NamedTuple):
    """One crop of a field.

    Attributes:
        resize_spec: Size of the field that the crop is cut from.
        corner: (top, left) in the resized field, pixels; None: the crop is the whole resized field.
        weight: Weight of the crop in the prediction for the field; the weights of a field add up to 1.
    """

    resize_spec: ResizeSpec
    corner: tuple[int, int] | None
    weight: float


class Box(NamedTuple):
    """An area of a field, as fractions of its sides (0..1)."""

    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True)
class Crops:
    """The crops of one field in order: the whole field, if it is one of them, and the tiles row by row.

    The whole field and the mean over all tiles have the same weight.

    Attributes:
        whole: Size of the whole field; None: the whole field is not one of the crops.
        native: Size of the field that tiles are cut from.
        tops: Top edges of the rows of tiles, pixels.
        lefts: Left edges of the columns of tiles, pixels.
    """

    whole: ResizeSpec | None
    native: ResizeSpec
    tops: tuple[int, ...] = ()
    lefts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return (self.whole is not None) + len(self.tops) * len(self.lefts)

    def __getitem__(self, index: int) -> Crop:
        tiles = len(self.tops) * len(self.lefts)
        scales = (self.whole is not None) + (tiles > 0)
        if self.whole is not None:
            if index == 0:
                return Crop(self.whole, None, 1 / scales)
            index -= 1
        if not 0 <= index < tiles:
            raise IndexError(f"the field has {len(self)} crops")
        row, column = divmod(index, len(self.lefts))
        return Crop(self.native, (self.tops[row], self.lefts[column]), 1 / (scales * tiles))


def tile_starts(length: int, side: int, overlap: float) -> tuple[int, ...]:
    """Start positions of tiles along one axis, so that they cover it and none exceeds it.

    The number of tiles is the smallest possible; they are spaced evenly, the first at the beginning and the
    last at the end of the axis.

    Args:
        length: Length of the axis, pixels; at least `side`.
        side: Side of a tile, pixels.
        overlap: Least fraction of a tile that the next tile covers too, in [0, 1).

    Returns:
        Positions in pixels, ascending.
    """
    assert length >= side
    step = max(1, math.floor(side * (1 - overlap) + 1e-9))
    steps = math.ceil((length - side) / step)
    return tuple(place * (length - side) // max(steps, 1) for place in range(steps + 1))
