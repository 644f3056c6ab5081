"""Augmentation of training images: random crops, rotations, affine transforms and colour shifts.

Geometry is one affine map from the pixels of the view to those of the field, so that every pixel is
interpolated once; colour is one matrix. A sequence of transforms, as in albumentations, costs several times
as much and blurs the cells at every step.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mds_lightning.data.albumentations_chain import AlbumentationsChain
from mds_lightning.data.colour_matrix import colour_matrix
from mds_lightning.data.resize_spec import ResizeSpec, resize, round_oversampling
from mds_lightning.data.stain_augmentation import vary_stain

#: Aspect ratio of a random crop relative to that of the view: between 1 / 1.25 and 1.25.
_ASPECT = 1.25
#: A field that the view shrinks by more than this is first resized by area means, to avoid aliasing.
_MAX_SHRINK = math.sqrt(2) * 1.001


@dataclass(frozen=True)
class AugmentationParameters:
    """Strength of each kind of augmentation; 0 (or False) switches it off.

    Attributes:
        crop: Smallest fraction of the field's area that a random resized crop keeps, in (0, 1]; 1: no
            cropping. (Of a field that is rotated by 90 degrees, at most the largest crop of the view's aspect
            ratio is kept.) Ignored for tiles, whose size is fixed.
        flips: Flip horizontally and vertically, each with probability 0.5.
        quarter_turns: Rotate by 0, 90, 180 or 270 degrees (a smear has no upright orientation).
        rotation: Largest rotation of the affine transform, degrees.
        shear: Largest shear of the affine transform, degrees.
        translation: Largest shift of the affine transform, as a fraction of the side.
        brightness: Largest relative change of brightness.
        contrast: Largest relative change of contrast.
        saturation: Largest relative change of saturation.
        hue: Largest shift of the hue, as a fraction of the colour circle, in [0, 0.5].
        stain: Largest relative change of the amount of each dye, and largest shift in optical density.
        further: Transforms of albumentations, run last (see `mds_lightning.data.albumentations_chain`).
    """

    crop: float = 1.0
    flips: bool = False
    quarter_turns: bool = False
    rotation: float = 0.0
    shear: float = 0.0
    translation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    stain: float = 0.0
    further: Sequence[Mapping[str, Mapping[str, Any] | None]] = ()

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise ValueError(
                f"augmentation.crop is {self.crop}: give a fraction of the field's area in (0, 1]"
            )
        for key in (
            "rotation",
            "shear",
            "translation",
            "brightness",
            "contrast",
            "saturation",
            "hue",
            "stain",
        ):
            if getattr(self, key) < 0:
                raise ValueError(f"augmentation.{key} is {getattr(self, key)}: give 0 (off) or more")
        if self.hue > 0.5:
            raise ValueError(
                f"augmentation.hue is {self.hue}: give a fraction of the colour circle in [0, 0.5]"
            )

    @property
    def warps(self) -> bool:
        """Whether pixels are interpolated at other positions than a plain resize would."""
        return bool(self.crop < 1 or self.rotation or self.shear or self.translation)

    @property
    def recolours(self) -> bool:
        """Whether brightness, contrast, saturation or hue changes."""
        return bool(self.brightness or self.contrast or self.saturation or self.hue)


@dataclass(frozen=True)
class _RandomNumbers:
    """The uniform random numbers of one view; all are drawn, whichever augmentations are switched on."""

    turn: float
    area: float
    aspect: float
    place: tuple[float, float]
    flip: tuple[float, float]
    rotation: float
    shear: tuple[float, float]
    shift: tuple[float, float]
    colour: tuple[float, float, float, float]
    dyes: tuple[float, ...]

    @classmethod
    def of(cls, seed: int) -> "_RandomNumbers":
        unit = np.random.default_rng(seed).random(7).tolist()
        sign = np.random.default_rng([seed, 1]).uniform(-1, 1, 16).tolist()
        return cls(
            *(unit[0], unit[1], sign[0]),
            *((unit[2], unit[3]), (unit[4], unit[5]), sign[1]),
            *((sign[2], sign[3]), (sign[4], sign[5]), (sign[6], sign[7], sign[8], sign[9])),
            tuple(sign[10:16]),
        )


class Augmentation:
    """A random view of a field, deterministic given the field and a seed.

    The seed of each view comes from the sampler (study seed, epoch, position), not from the worker process.
    Epochs therefore differ, the views do not depend on the number of workers, and a run that was killed
    continues with the same images.

    Args:
        parameters: Strength of each kind of augmentation.
        size: (height, width) of a view, pixels.
        magnification: None: a view shows the field, or a crop of any size. Otherwise it shows a tile at a
            random position, with pixels as large as the field's at this magnification (see `ResizeSpec`). A
            field without room for a tile rotated by 90 degrees is not rotated by 90 degrees.

    Attributes:
        resize_spec: Size in which fields are expected, so that the smallest crop still has the view's
            resolution.
    """

    def __init__(
        self, parameters: AugmentationParameters, size: tuple[int, int], magnification: float | None = None
    ) -> None:
        self.is_tile = magnification is not None
        self.parameters = replace(parameters, crop=1.0) if self.is_tile else parameters
        self.size = size
        self._albumentations = AlbumentationsChain(parameters.further) if parameters.further else None
        self.resize_spec = (
            ResizeSpec(size, round_oversampling(_least_oversampling(parameters, size)))
            if magnification is None
            else ResizeSpec(None, magnification=magnification)
        )

    def __call__(self, field: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
        """Return the view of `field` (uint8, H x W x 3) for `seed` (>= 0): uint8, (*size, 3)."""
        numbers = _RandomNumbers.of(seed)
        view = self._warp(field, numbers) if self.parameters.warps else self._turn(field, numbers)
        if self.parameters.stain:
            changes = self.parameters.stain * np.array(numbers.dyes)
            view = vary_stain(view, np.maximum(0, 1 + changes[:3]), changes[3:])
        view = self._recolour(view, numbers) if self.parameters.recolours else np.array(view)
        return view if self._albumentations is None else self._albumentations(view, seed)

    def _turn(self, field: NDArray[np.uint8], numbers: _RandomNumbers) -> NDArray[np.uint8]:
        """Rotation by multiples of 90 degrees and flips, without interpolation."""
        quarters = self._quarters(field.shape[:2], numbers)
        if self.is_tile:
            sides = self.size[::-1] if quarters % 2 else self.size
            top, left = (
                int(fraction * (length - side + 1))
                for fraction, length, side in zip(numbers.place[::-1], field.shape, sides, strict=False)
            )
            field = field[top : top + sides[0], left : left + sides[1]]
        turned = np.rot90(field, quarters)
        flipped = turned[:: self._sign(numbers.flip[1]), :: self._sign(numbers.flip[0])]
        return resize(np.ascontiguousarray(flipped), self.size)

    def _warp(self, field: NDArray[np.uint8], numbers: _RandomNumbers) -> NDArray[np.uint8]:
        height, width = self.size
        to_field = self._map(field.shape[:2], numbers)
        shrink = math.sqrt(abs(np.linalg.det(to_field[:, :2])))
        if shrink > _MAX_SHRINK:
            rows, columns = (max(1, round(side / shrink)) for side in field.shape[:2])
            to_field = np.diag([columns / field.shape[1], rows / field.shape[0]]) @ to_field
            field = resize(field, (rows, columns))
        # The map is defined on pixel corners; OpenCV's coordinates refer to pixel centres.
        to_field[:, 2] += to_field[:, :2].sum(axis=1) / 2 - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(
            field, to_field, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        return warped.astype(np.uint8, copy=False)

    def _map(self, shape: tuple[int, int], numbers: _RandomNumbers) -> NDArray[np.float64]:
        """(2, 3): from (x, y, 1) in the view to (x, y) in a field of this shape (height, width)."""
        parameters, (height, width) = self.parameters, self.size
        quarters = self._quarters(shape, numbers)
        upright = np.array(shape[::-1], dtype=float)
        turned = upright[::-1] if quarters % 2 else upright
        crop = self._crop(turned, numbers)
        place = np.array(numbers.place) * (turned - crop) + crop / 2 - turned / 2
        angle = math.radians(parameters.rotation * numbers.rotation)
        rotate = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        slant = [math.tan(math.radians(parameters.shear * number)) for number in numbers.shear]
        mirror = np.array([self._sign(number) for number in numbers.flip])
        linear = np.diag(mirror * crop / (width, height)) @ rotate @ np.array([[1, slant[0]], [slant[1], 1]])
        shift = parameters.translation * np.array(numbers.shift) * crop
        turn = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarters)
        linear, centre = turn @ linear, turn @ (place + shift) + upright / 2
        return np.column_stack([linear, centre - linear @ (width / 2, height / 2)])

    def _crop(self, turned: NDArray[np.float64], numbers: _RandomNumbers) -> NDArray[np.float64]:
        """(width, height) of the crop of the turned field that becomes the view."""
        height, width = self.size
        if self.is_tile:
            return np.array([width, height], dtype=float)
        if self.parameters.crop == 1:
            return turned
        area = (self.parameters.crop + (1 - self.parameters.crop) * numbers.area) * turned[0] * turned[1]
        ratio = width / height * _ASPECT**numbers.aspect
        crop = np.array([math.sqrt(area * ratio), math.sqrt(area / ratio)])
        return crop * min(1.0, *(turned / crop))

    def _recolour(self, view: NDArray[np.uint8], numbers: _RandomNumbers) -> NDArray[np.uint8]:
        parameters = self.parameters
        mean = np.array(cv2.mean(view)[:3])
        strengths = (parameters.brightness, parameters.contrast, parameters.saturation)
        factors = [
            max(0.0, 1 + strength * number)
            for strength, number in zip(strengths, numbers.colour[:3], strict=True)
        ]
        brightness, contrast, saturation = factors
        matrix = colour_matrix(mean, brightness, contrast, saturation, hue=parameters.hue * numbers.colour[3])
        return cv2.transform(view, matrix).astype(np.uint8, copy=False)

    def _quarters(self, shape: tuple[int, ...], numbers: _RandomNumbers) -> int:
        quarters = int(4 * numbers.turn) if self.parameters.quarter_turns else 0
        has_room = not self.is_tile or (shape[0] >= self.size[1] and shape[1] >= self.size[0])
        return quarters if has_room else quarters // 2 * 2

    def _sign(self, number: float) -> int:
        return -1 if self.parameters.flips and number < 0.5 else 1


def _least_oversampling(parameters: AugmentationParameters, size: tuple[int, int]) -> float:
    if parameters.crop < 1:
        return 1 / math.sqrt(parameters.crop)
    # A field that is rotated by 90 degrees and not cropped is squeezed to the view's aspect ratio.
    return max(size) / min(size) if parameters.quarter_turns else 1.0
