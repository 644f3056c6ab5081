"""The parts of a field that the network looks at one by one."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from mds_lightning.data.resize_spec import Form


class Part(NamedTuple):
    """One part of a field.

    Attributes:
        form: What it is cut from.
        corner: (top, left) in that form, pixels; None: the form is the part.
        weight: Its share in the prediction for the field.
    """

    form: Form
    corner: tuple[int, int] | None
    weight: float


class Box(NamedTuple):
    """An area of a field, as shares of its sides (0..1)."""

    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True)
class Parts:
    """The parts of one field in their order: the whole of it, if that is one, and its tiles row by row.

    All scales weigh the same: the mean over the whole field and the mean over the tiles.

    Attributes:
        whole: Form of the whole field; None: it is not among them.
        native: Form that tiles are cut from.
        tops: Upper ends of the tiles, pixels.
        lefts: Left ends of the tiles, pixels.
    """

    whole: Form | None
    native: Form
    tops: tuple[int, ...] = ()
    lefts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return (self.whole is not None) + len(self.tops) * len(self.lefts)

    def __getitem__(self, index: int) -> Part:
        tiles = len(self.tops) * len(self.lefts)
        scales = (self.whole is not None) + (tiles > 0)
        if self.whole is not None:
            if index == 0:
                return Part(self.whole, None, 1 / scales)
            index -= 1
        if not 0 <= index < tiles:
            raise IndexError(f"the field has {len(self)} parts")
        row, column = divmod(index, len(self.lefts))
        return Part(self.native, (self.tops[row], self.lefts[column]), 1 / (scales * tiles))


def tile_starts(length: int, side: int, overlap: float) -> tuple[int, ...]:
    """Where tiles begin along one axis, so that they cover it and none runs over its end.

    As few as do; they are laid out evenly, the first at the beginning and the last at the end of the axis.

    Args:
        length: Of the axis, pixels; at least `side`.
        side: Of a tile, pixels.
        overlap: Least share of a tile that the next one covers too, in [0, 1).
    """
    assert length >= side
    step = max(1, math.floor(side * (1 - overlap) + 1e-9))
    steps = math.ceil((length - side) / step)
    return tuple(place * (length - side) // max(steps, 1) for place in range(steps + 1))
