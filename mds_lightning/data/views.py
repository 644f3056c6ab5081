"""Views of a field that the network receives: the whole field, tiles, or both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from mds_lightning.data.augmentation import Augmentation, AugmentationParameters
from mds_lightning.data.crops import Crops, tile_starts
from mds_lightning.data.data_parameters import ViewName
from mds_lightning.data.field_source import Fields
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.sampling import Draw


@dataclass(frozen=True)
class ViewParameters:
    """What the network receives of a field, in training and in evaluation.

    `whole`: the field, resized to the network's input. `tiles`: crops of that size from the unresized field;
    one at a random position for every sample in training, and in evaluation as many as cover the field, where
    the prediction is the mean of the tiles' probabilities. `multi_scale`: training chooses one of the two
    views for every sample with equal probability, and the prediction is the mean over both (Simonyan &
    Zisserman, ICLR 2015: multi-scale training, 3.1, and evaluation, 3.2 and 4.2).

    Attributes:
        size: (height, width) of the network's input, pixels.
        name: `whole`, `tiles` or `multi_scale`.
        overlap: Least fraction of a tile's sides that its neighbours cover too, in [0, 1), in evaluation.
        magnification: Magnification of the field that tiles are cut from, in (0, 1]. 1: its own pixels; 0.5:
            half as many along each side.
    """

    size: tuple[int, int]
    name: ViewName = "whole"
    overlap: float = 0.0
    magnification: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in get_args(ViewName):
            raise ValueError(f"data.view is {self.name!r}: choose {', '.join(get_args(ViewName))}")
        if not 0 <= self.overlap < 1:
            raise ValueError(
                f"data.tile_overlap is {self.overlap}: give a fraction of a tile's side in [0, 1)"
            )
        if not 0 < self.magnification <= 1:
            raise ValueError(
                f"data.magnification is {self.magnification}: give more than 0 and at most 1 (the field's "
                "own pixels); enlarging adds no information"
            )
        for key, value, default in (
            ("tile_overlap", self.overlap, 0),
            ("magnification", self.magnification, 1),
        ):
            if self.name == "whole" and value != default:
                raise ValueError(
                    f"data.{key} is {value}, but data.view=whole uses no tiles: "
                    f"remove data.{key}, or set data.view=multi_scale or data.view=tiles"
                )

    @property
    def has_tiles(self) -> bool:
        """Whether tiles are used."""
        return self.name != "whole"

    @property
    def whole(self) -> ResizeSpec:
        """Resizing of the whole field to the network's input."""
        return ResizeSpec(self.size)

    @property
    def native(self) -> ResizeSpec:
        """Resizing of the field that tiles are cut from."""
        return ResizeSpec(None, magnification=self.magnification)

    def fits(self, shape: tuple[int, int]) -> bool:
        """Whether a field of this (height, width), after resizing to `native`, is as large as a tile."""
        return shape[0] >= self.size[0] and shape[1] >= self.size[1]


class Views(Protocol):
    """Selects the view of a field for each sample of a dataset."""

    def read(self, fields: Fields, draw: Draw) -> tuple[NDArray[np.uint8], float]:
        """The view for `draw`, uint8, (*size, 3), writable, and its weight (see `Item`)."""
        ...


class FixedViews:
    """The crops of a field, for evaluation; a draw gives the row and the crop."""

    def __init__(self, parameters: ViewParameters) -> None:
        self.parameters = parameters

    def read(self, fields: Fields, draw: Draw) -> tuple[NDArray[np.uint8], float]:
        """See `Views.read`."""
        crop = self.crops(fields, draw.row)[draw.crop]
        field = fields.read(draw.row, crop.resize_spec)
        if crop.corner is not None:
            (top, left), (height, width) = crop.corner, self.parameters.size
            field = field[top : top + height, left : left + width]
        # Copied: torch needs a writable array, and the whole field should not be kept in memory.
        return np.array(field), crop.weight

    def crops(self, fields: Fields, row: int) -> Crops:
        """All crops of the field in `row` of the cohort's table."""
        parameters = self.parameters
        if not parameters.has_tiles:
            return Crops(parameters.whole, parameters.native)
        tops, lefts = (
            tile_starts(length, side, parameters.overlap)
            for length, side in zip(fields.shape(row, parameters.native), parameters.size, strict=True)
        )
        whole = parameters.whole if parameters.name == "multi_scale" else None
        return Crops(whole, parameters.native, tops, lefts)

    def count(self, fields: Fields, rows: Sequence[int]) -> list[int]:
        """Number of crops of each row."""
        return [len(self.crops(fields, row)) for row in rows]


class RandomViews:
    """Augmented views, for training; a draw gives the row and the seed.

    Attributes:
        resize_specs: Sizes in which fields are read.
    """

    def __init__(self, parameters: ViewParameters, augmentation: AugmentationParameters) -> None:
        whole = Augmentation(augmentation, parameters.size)
        tile = Augmentation(augmentation, parameters.size, parameters.magnification)
        kinds = {"whole": (whole,), "tiles": (tile,), "multi_scale": (whole, tile)}
        self._augmentations = kinds[parameters.name]
        self.resize_specs = tuple(one.resize_spec for one in self._augmentations)

    def read(self, fields: Fields, draw: Draw) -> tuple[NDArray[np.uint8], float]:
        """See `Views.read`."""
        number = len(self._augmentations)
        chosen = 0 if number == 1 else int(np.random.default_rng([draw.seed, 2]).integers(number))
        augmentation = self._augmentations[chosen]
        return augmentation(fields.read(draw.row, augmentation.resize_spec), draw.seed), 1.0
