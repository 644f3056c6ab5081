"""What a training image may look like: random crops, turns, linear transforms and colour shifts.

The only file that knows albumentations (unmaintained since 2.0.8, MIT): it can be replaced here alone.
"""

import random
from dataclasses import dataclass

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AugmentationParameters:
    """How strongly each kind of augmentation acts; 0 (or False) leaves it out.

    Attributes:
        crop: Smallest share of the field's area that a random sized crop keeps, in (0, 1]; 1: all of it.
        flips: Mirror horizontally and vertically, each with probability 0.5.
        quarter_turns: Turn by 0, 90, 180 or 270 degrees (a smear has no upright).
        rotation: Largest rotation of the affine transform, degrees.
        shear: Largest shear of the affine transform, degrees.
        translation: Largest shift of the affine transform, as a share of the side.
        brightness: Largest relative change; likewise `contrast` and `saturation`.
        contrast: See `brightness`.
        saturation: See `brightness`.
        hue: Largest shift of the hue, as a share of the colour circle, in [0, 0.5].
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

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise ValueError(f"augmentation.crop is {self.crop}: give a share of the field's area in (0, 1]")
        for key in ("rotation", "shear", "translation", "brightness", "contrast", "saturation", "hue"):
            if getattr(self, key) < 0:
                raise ValueError(f"augmentation.{key} is {getattr(self, key)}: give 0 (off) or more")
        if self.hue > 0.5:
            raise ValueError(f"augmentation.hue is {self.hue}: give a share of the colour circle in [0, 0.5]")


def resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize `image` (H, W, 3) to `size` (height, width): area mean when shrinking, linear when growing."""
    if image.shape[:2] == size:
        return image
    shrinks = image.shape[0] >= size[0] and image.shape[1] >= size[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, size[::-1], interpolation=interpolation).astype(np.uint8, copy=False)


class Augmentation:
    """A random view of a field, as a function of the field and a seed alone.

    The seed of each draw comes from the sampler (study seed, epoch, position), not from the worker process.
    So epochs differ, a draw is the same whichever worker makes it and however many there are, and a run that
    was killed goes on with the very same images. (albumentations 2.0.8 by itself repeats its random
    parameters in every worker and, with workers that do not persist, in every epoch.)

    All transforms of a draw share one stream of random numbers. `Compose.set_random_seed` would give each
    transform a stream of its own from the same seed: a field would then be mirrored both ways or not at all.
    """

    def __init__(self, parameters: AugmentationParameters, size: tuple[int, int]) -> None:
        self.parameters = parameters
        self.size = size
        self._compose = A.Compose(_transforms(parameters, size))

    def __call__(self, image: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
        """Return the view of `image` (uint8, H x W x 3) that `seed` (>= 0) chooses: uint8, (*size, 3)."""
        self._compose.set_random_state(np.random.default_rng(seed), random.Random(seed))
        view: NDArray[np.uint8] = self._compose(image=image)["image"]
        return view


def _transforms(parameters: AugmentationParameters, size: tuple[int, int]) -> list[A.BasicTransform]:
    height, width = size
    transforms: list[A.BasicTransform] = []
    if parameters.quarter_turns:
        transforms.append(A.RandomRotate90(p=1.0))
    if parameters.crop < 1:
        ratio = width / height
        transforms.append(
            A.RandomResizedCrop(
                size,
                scale=(parameters.crop, 1.0),
                ratio=(ratio * 0.8, ratio * 1.25),
                interpolation=cv2.INTER_LINEAR,
                area_for_downscale="image",
            )
        )
    else:
        transforms.append(A.Resize(height, width, interpolation=cv2.INTER_LINEAR, area_for_downscale="image"))
    if parameters.flips:
        transforms += [A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)]
    if parameters.rotation or parameters.shear or parameters.translation:
        transforms.append(
            A.Affine(
                rotate=(-parameters.rotation, parameters.rotation),
                shear=(-parameters.shear, parameters.shear),
                translate_percent=(-parameters.translation, parameters.translation),
                border_mode=cv2.BORDER_REFLECT_101,
                p=1.0,
            )
        )
    colour = {key: getattr(parameters, key) for key in ("brightness", "contrast", "saturation", "hue")}
    if any(colour.values()):
        transforms.append(
            A.ColorJitter(
                brightness=(max(0.0, 1 - colour["brightness"]), 1 + colour["brightness"]),
                contrast=(max(0.0, 1 - colour["contrast"]), 1 + colour["contrast"]),
                saturation=(max(0.0, 1 - colour["saturation"]), 1 + colour["saturation"]),
                hue=(-colour["hue"], colour["hue"]),
                p=1.0,
            )
        )
    return transforms
