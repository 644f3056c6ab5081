"""Colours of every field brought to those of one fixed target, so that laboratories and slides look alike.

The target is a constant or a picture that the user names, never the cohort: what is learnt from test
patients' colours would be a leak, and the folds share one cache.
"""

import hashlib
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.decode import ImageError, decode_image
from mds_lightning.data.resize_spec import resize

StainMethod = Literal["reinhard", "macenko"]

#: Raise it when the same target gives other bytes.
_VERSION = 1
#: Longer side of the copy that a field's colours are measured on, pixels.
_MEASURED = 512
#: Mean optical density from which on there is something, and the percentile that stands for extremes of
#: angles, amounts and brightness: those of Macenko et al. and of torchstain.
_DENSE, _EXTREME = 0.15, 1.0
#: Least share of a field that must be stained; least spread of lightness and of colour (CIELAB); least sine
#: of the angle between two dyes: with less there is nothing to measure.
_LEAST_STAINED, _LEAST_LIGHTNESS, _LEAST_COLOUR, _LEAST_ANGLE = 0.005, 1.0, 0.1, 0.02


@dataclass(frozen=True)
class StainNormalization:
    """From a decoded field to the same field in the colours of the target: a function of the field alone.

    `reinhard`: mean and standard deviation of lightness, red-green and yellow-blue (CIELAB) become the
    target's (Reinhard et al., IEEE CG&A 2001). `macenko`: the directions of the two dyes in optical density,
    the 99th percentile of their amounts, and the colour of empty glass become the target's (Macenko et al.,
    ISBI 2009, who take glass for white); colours that neither dye has are lost.

    Attributes:
        method: One of the two.
        target: What `measure` finds in the picture that others are to look like.
    """

    method: StainMethod
    target: tuple[float, ...]

    def __call__(self, image: NDArray[np.uint8], path: File) -> NDArray[np.uint8]:
        """Return `image` (RGB, uint8, H x W x 3) in the target's colours.

        Raises:
            ImageError: It is almost blank, or has a single colour; `path` names it.
        """
        own = np.array(_MEASURES[self.method](image, path))
        return _APPLIED[self.method](image, own, np.array(self.target))

    @property
    def key(self) -> str:
        """Name of this normalisation in a cache: other targets have other names."""
        numbers = repr((_VERSION, *astuple(self)))
        return f"{self.method}-{hashlib.sha256(numbers.encode()).hexdigest()[:8]}"


def choose_stain(
    method: str | None, reference: str | Path | None, max_pixels: int
) -> StainNormalization | None:
    """The normalisation that `data.stain` names, or None.

    Args:
        method: 'reinhard', 'macenko' or None.
        reference: Picture whose colours are the target; None: those of a smear of the simulator's own stain.
        max_pixels: Larger pictures are refused.

    Raises:
        ImageError: The picture cannot be decoded, or has no colours to measure.
        ValueError: There is no such method, or a picture but no method.
    """
    if method is None:
        if reference is not None:
            raise ValueError(
                "data.stain_reference is set, but data.stain is null: choose reinhard or macenko"
            )
        return None
    if method not in _MEASURES:
        raise ValueError(f"data.stain is {method!r}: choose null, {', '.join(_MEASURES)}")
    name: StainMethod = "reinhard" if method == "reinhard" else "macenko"
    if reference is None:
        return StainNormalization(name, _TARGETS[name])
    path = Path(reference)
    return StainNormalization(name, _MEASURES[name](decode_image(path, max_pixels), path))


def read_field(
    path: File, max_pixels: int, stain: StainNormalization | None, content: bytes | None = None
) -> NDArray[np.uint8]:
    """Decode an image (see `decode_image`), in the target's colours if `stain` is given.

    Raises:
        ImageError: It cannot be decoded, or not be normalised.
    """
    image = decode_image(path, max_pixels, content)
    return image if stain is None else stain(image, path)


def measure_lab(image: NDArray[np.uint8], path: File) -> tuple[float, ...]:
    """Mean of lightness, red-green and yellow-blue, and standard deviation of each: CIELAB, 6 numbers."""
    means, spreads = cv2.meanStdDev(_lab(_small(image)))
    lightness, *colours = spreads.ravel().tolist()
    if lightness < _LEAST_LIGHTNESS or min(colours) < _LEAST_COLOUR:
        raise _unmeasurable(path, "is almost blank" if lightness < _LEAST_LIGHTNESS else "has no colours")
    return (*means.ravel().tolist(), lightness, *colours)


def measure_dyes(image: NDArray[np.uint8], path: File) -> tuple[float, ...]:
    """Directions of the bluer and the pinker dye in optical density, the most of either, and empty glass.

    Returns:
        3, 3, 2 and 3 numbers: red, green and blue of a direction (length 1) and of glass (0..255).
    """
    small = _small(image)
    glass = np.percentile(small.reshape(-1, 3), 100 - _EXTREME, axis=0)
    density = _density(small, glass).reshape(-1, 3).astype(np.float64)
    stained = density[density.mean(axis=1) > _DENSE]
    if len(stained) < max(_LEAST_STAINED * len(density), 3):
        raise _unmeasurable(path, "is almost blank")
    plane = np.linalg.eigh(np.cov(stained.T))[1][:, 1:]
    # Angles are counted from the mean, so that none is near half a turn whatever the signs of the vectors.
    middle = plane.T @ stained.mean(axis=0)
    middle /= np.linalg.norm(middle)
    plane = plane @ np.array([[middle[0], -middle[1]], [middle[1], middle[0]]])
    along, across = (stained @ plane).T
    angles = np.percentile(np.arctan2(across, along), [_EXTREME, 100 - _EXTREME])
    dyes = plane @ np.array([np.cos(angles), np.sin(angles)])
    if not np.sin(angles[1] - angles[0]) > _LEAST_ANGLE:
        raise _unmeasurable(path, "has a single colour")
    dyes = dyes[:, np.argsort(-dyes[0])]
    most = np.percentile(np.linalg.pinv(dyes) @ stained.T, 100 - _EXTREME, axis=1)
    if not (most > 0).all():
        raise _unmeasurable(path, "has a single colour")
    return (*dyes.T.ravel().tolist(), *most.tolist(), *glass.tolist())


def _apply_lab(
    image: NDArray[np.uint8], own: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.uint8]:
    scale = target[3:] / own[3:]
    matrix = np.column_stack([np.diag(scale), target[:3] - scale * own[:3]])
    light = cv2.cvtColor(cv2.transform(_lab(image), matrix), cv2.COLOR_LAB2RGB)
    return cv2.convertScaleAbs(np.maximum(light, 0), alpha=255).astype(np.uint8, copy=False)


def _apply_dyes(
    image: NDArray[np.uint8], own: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.uint8]:
    amounts = np.diag(target[6:8] / own[6:8]) @ np.linalg.pinv(own[:6].reshape(2, 3).T)
    matrix = np.column_stack([-target[:6].reshape(2, 3).T @ amounts, np.log(target[8:] + 1)])
    light = cv2.exp(cv2.transform(_density(image, own[8:]), matrix))
    return cv2.convertScaleAbs(np.maximum(light, 1), beta=-1).astype(np.uint8, copy=False)


def _density(image: NDArray[np.uint8], glass: NDArray[np.float64]) -> NDArray[np.float32]:
    """Optical density; 1 is added, so that black has one."""
    table = np.log(glass + 1) - np.log(np.arange(1, 257))[:, None]
    return cv2.LUT(image, table[None].astype(np.float32)).astype(np.float32, copy=False)


def _lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    light = np.multiply(image, np.float32(1 / 255), dtype=np.float32)
    return cv2.cvtColor(light, cv2.COLOR_RGB2LAB).astype(np.float32, copy=False)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(1.0, _MEASURED / max(height, width))
    return resize(image, (max(1, round(height * scale)), max(1, round(width * scale))))


def _unmeasurable(path: File, why: str) -> ImageError:
    return ImageError(
        f"{path}: {why}, so that its stain cannot be normalised: remove its row, or set data.stain=null"
    )


_MEASURES = {"reinhard": measure_lab, "macenko": measure_dyes}
_APPLIED = {"reinhard": _apply_lab, "macenko": _apply_dyes}
#: Means over six fields of simulated donors, 640 x 480 pixels, in the simulator's reference stain.
_TARGETS: dict[StainMethod, tuple[float, ...]] = {
    "reinhard": (71.8, 11.5, -7.6, 18.5, 11.9, 14.0),
    "macenko": (0.728, 0.685, 0.001, 0.020, 0.851, 0.523, 1.90, 1.52, 223.0, 222.0, 222.0),
}
