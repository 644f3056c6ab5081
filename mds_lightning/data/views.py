"""What the network sees of a field: all of it at once, tile by tile, or both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from mds_lightning.data.augmentation import Augmentation, AugmentationParameters
from mds_lightning.data.crops import Parts, tile_starts
from mds_lightning.data.field_source import Fields
from mds_lightning.data.resize_spec import Form
from mds_lightning.data.sampling import Draw

ViewName = Literal["whole", "tiles", "multi_scale"]


@dataclass(frozen=True)
class ViewParameters:
    """What is looked at, in training and in evaluation.

    `whole`: the field, resized to the network's input. `tiles`: cuts of that size out of the field as it is;
    one at random for every draw in training, and all that it takes to cover the field in evaluation, where
    the prediction is the mean of the tiles' probabilities. `multi_scale`: training draws one of the two views
    for every sample, evenly, and the prediction is the mean over both (Simonyan & Zisserman, ICLR 2015:
    multi-scale training, 3.1, and evaluation, 3.2 and 4.2).

    Attributes:
        size: (height, width) of the network's input, pixels.
        name: Which of them.
        overlap: Least share of a tile's sides that its neighbours cover too, in [0, 1), in evaluation.
        magnification: Of the field that tiles are cut from, in (0, 1]: 1: its own pixels; 0.5: half as many
            along each side.
    """

    size: tuple[int, int]
    name: ViewName = "whole"
    overlap: float = 0.0
    magnification: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in get_args(ViewName):
            raise ValueError(f"data.view is {self.name!r}: choose {', '.join(get_args(ViewName))}")
        if not 0 <= self.overlap < 1:
            raise ValueError(f"data.tile_overlap is {self.overlap}: give a share of a tile's side in [0, 1)")
        if not 0 < self.magnification <= 1:
            raise ValueError(
                f"data.magnification is {self.magnification}: give more than 0, and 1 at most (the field's "
                "own pixels); what is enlarged shows nothing more"
            )
        for key, value, default in (
            ("tile_overlap", self.overlap, 0),
            ("magnification", self.magnification, 1),
        ):
            if self.name == "whole" and value != default:
                raise ValueError(
                    f"data.{key} is {value}, which says how tiles are cut, but data.view=whole cuts none: "
                    f"set data.view to tiles or multi_scale, or leave data.{key} out"
                )

    @property
    def has_tiles(self) -> bool:
        """Whether fields are cut."""
        return self.name != "whole"

    @property
    def whole(self) -> Form:
        """The whole field as the network takes it."""
        return Form(self.size)

    @property
    def native(self) -> Form:
        """What tiles are cut from."""
        return Form(None, magnification=self.magnification)

    def fits(self, shape: tuple[int, int]) -> bool:
        """Whether a field of this (height, width), in the form `native`, has room for a tile."""
        return shape[0] >= self.size[0] and shape[1] >= self.size[1]


class Views(Protocol):
    """What a dataset shows of a field."""

    def read(self, fields: Fields, draw: Draw) -> tuple[NDArray[np.uint8], float]:
        """The view that `draw` chooses, uint8, (*size, 3), writable, and its weight (see `Item`)."""
        ...


class FixedViews:
    """The parts of a field, for evaluation: a draw names the row and the part."""

    def __init__(self, parameters: ViewParameters) -> None:
        self.parameters = parameters

    def read(self, fields: Fields, draw: Draw) -> tuple[NDArray[np.uint8], float]:
        """See `Views.read`."""
        part = self.parts(fields, draw.row)[draw.part]
        field = fields.read(draw.row, part.form)
        if part.corner is not None:
            (top, left), (height, width) = part.corner, self.parameters.size
            field = field[top : top + height, left : left + width]
        # A field from the cache is read-only, which torch does not know; and only the part is to be kept.
        return np.array(field), part.weight

    def parts(self, fields: Fields, row: int) -> Parts:
        """All parts of the field in this row of the cohort's table."""
        how = self.parameters
        if not how.has_tiles:
            return Parts(how.whole, how.native)
        tops, lefts = (
            tile_starts(length, side, how.overlap)
            for length, side in zip(fields.shape(row, how.native), how.size, strict=True)
        )
        return Parts(how.whole if how.name == "multi_scale" else None, how.native, tops, lefts)

    def count(self, fields: Fields, rows: Sequence[int]) -> list[int]:
        """How many parts each of these rows has."""
        return [len(self.parts(fields, row)) for row in rows]


class RandomViews:
    """Augmented views, for training: a draw names the row and the seed.

    Attributes:
        forms: What fields are read in.
    """

    def __init__(self, parameters: ViewParameters, augmentation: AugmentationParameters) -> None:
        whole = Augmentation(augmentation, parameters.size)
        tile = Augmentation(augmentation, parameters.size, parameters.magnification)
        kinds = {"whole": (whole,), "tiles": (tile,), "multi_scale": (whole, tile)}
        self._augmentations = kinds[parameters.name]
        self.forms = tuple(one.form for one in self._augmentations)

    def read(self, fields: Fields, draw: Draw) -> tuple[NDArray[np.uint8], float]:
        """See `Views.read`."""
        number = len(self._augmentations)
        chosen = 0 if number == 1 else int(np.random.default_rng([draw.seed, 2]).integers(number))
        augmentation = self._augmentations[chosen]
        return augmentation(fields.read(draw.row, augmentation.form), draw.seed), 1.0
