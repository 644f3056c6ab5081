"""Stain normalisation: the colours of every field are mapped to those of one fixed target.

The target is a constant or an image given by the user, never estimated from the cohort: that would leak
information on test patients, and the folds share one cache.
"""

import hashlib
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.data_parameters import StainMethod
from mds_lightning.data.decode import ImageError, decode_image
from mds_lightning.data.resize_spec import resize

#: Increase it when the same target gives other bytes.
_VERSION = 1
#: Longer side of the reduced copy that a field's colours are measured on, pixels.
_MEASURED_SIDE = 512
#: Mean optical density above which a pixel counts as stained, and the percentile used for the extremes of
#: angles, amounts and brightness: the values of Macenko et al. and of torchstain.
_STAINED, _PERCENTILE = 0.15, 1.0
#: A field that is below one of these cannot be measured: stained fraction of its pixels; standard deviation
#: of lightness and of colour (CIELAB); sine of the angle between the two dyes.
_MIN_STAINED_FRACTION, _MIN_LIGHTNESS, _MIN_COLOUR, _MIN_ANGLE = 0.005, 1.0, 0.1, 0.02


@dataclass(frozen=True)
class StainNormalization:
    """Maps the colours of a decoded field to those of the target; a function of the field alone.

    `reinhard`: mean and standard deviation of lightness, red-green and yellow-blue (CIELAB) become those of
    the target (Reinhard et al., IEEE CG&A 2001). `macenko`: the directions of the two dyes in optical
    density, the 99th percentile of their amounts, and the colour of empty glass become those of the target
    (Macenko et al., ISBI 2009, who assume that glass is white); colours outside the plane of the two dyes are
    lost.

    Attributes:
        method: `reinhard` or `macenko`.
        target: Measurements of the target, as `measure_lab` or `measure_dyes` returns them.
    """

    method: StainMethod
    target: tuple[float, ...]

    def __call__(self, image: NDArray[np.uint8], path: File) -> NDArray[np.uint8]:
        """Return `image` (RGB, uint8, H x W x 3) in the target's colours.

        Raises:
            ImageError: The image is almost blank or has a single colour; `path` is named in the message.
        """
        own = np.array(_MEASURES[self.method](image, path))
        return _APPLIED[self.method](image, own, np.array(self.target))

    @property
    def key(self) -> str:
        """Name of this normalisation in the cache, different for each target."""
        numbers = repr((_VERSION, *astuple(self)))
        return f"{self.method}-{hashlib.sha256(numbers.encode()).hexdigest()[:8]}"


def choose_stain(
    method: str | None, reference: str | Path | None, max_pixels: int
) -> StainNormalization | None:
    """Build the stain normalisation of the configuration.

    Args:
        method: `data.stain`: 'reinhard', 'macenko' or None.
        reference: `data.stain_reference`, the image whose colours are the target; None: those of simulated
            smears in the reference stain of the simulator.
        max_pixels: Largest reference image, pixels.

    Returns:
        The normalisation, or None where `method` is None.

    Raises:
        ImageError: The reference cannot be decoded, or its colours cannot be measured.
        ValueError: The method is unknown, or a reference is given without a method.
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
    """Decode an image (see `decode_image`) and normalise it if `stain` is given.

    Raises:
        ImageError: The image cannot be decoded or normalised.
    """
    image = decode_image(path, max_pixels, content)
    return image if stain is None else stain(image, path)


def measure_lab(image: NDArray[np.uint8], path: File) -> tuple[float, ...]:
    """Mean of lightness, red-green and yellow-blue, and standard deviation of each: CIELAB, 6 numbers."""
    means, spreads = cv2.meanStdDev(_lab(_small(image)))
    lightness, *colours = spreads.ravel().tolist()
    if lightness < _MIN_LIGHTNESS or min(colours) < _MIN_COLOUR:
        raise _unmeasurable(path, "is almost blank" if lightness < _MIN_LIGHTNESS else "has no colours")
    return (*means.ravel().tolist(), lightness, *colours)


def measure_dyes(image: NDArray[np.uint8], path: File) -> tuple[float, ...]:
    """Directions of the bluer and the pinker dye in optical density, their maximum amounts, and empty glass.

    Returns:
        11 numbers: red, green and blue of each direction (unit vectors), two amounts (99th percentiles), and
        red, green and blue of glass (0..255).
    """
    small = _small(image)
    glass = np.percentile(small.reshape(-1, 3), 100 - _PERCENTILE, axis=0)
    density = _density(small, glass).reshape(-1, 3).astype(np.float64)
    stained = density[density.mean(axis=1) > _STAINED]
    if len(stained) < max(_MIN_STAINED_FRACTION * len(density), 3):
        raise _unmeasurable(path, "is almost blank")
    plane = np.linalg.eigh(np.cov(stained.T))[1][:, 1:]
    # Angles are measured from the mean, so that none is near +-pi whatever the signs of the eigenvectors.
    middle = plane.T @ stained.mean(axis=0)
    middle /= np.linalg.norm(middle)
    plane = plane @ np.array([[middle[0], -middle[1]], [middle[1], middle[0]]])
    along, across = (stained @ plane).T
    angles = np.percentile(np.arctan2(across, along), [_PERCENTILE, 100 - _PERCENTILE])
    dyes = plane @ np.array([np.cos(angles), np.sin(angles)])
    if not np.sin(angles[1] - angles[0]) > _MIN_ANGLE:
        raise _unmeasurable(path, "has a single colour")
    dyes = dyes[:, np.argsort(-dyes[0])]
    amounts = np.percentile(np.linalg.pinv(dyes) @ stained.T, 100 - _PERCENTILE, axis=1)
    if not (amounts > 0).all():
        raise _unmeasurable(path, "has a single colour")
    return (*dyes.T.ravel().tolist(), *amounts.tolist(), *glass.tolist())


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
    """Optical density; 1 is added, so that it is finite for black."""
    table = np.log(glass + 1) - np.log(np.arange(1, 257))[:, None]
    return cv2.LUT(image, table[None].astype(np.float32)).astype(np.float32, copy=False)


def _lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    light = np.multiply(image, np.float32(1 / 255), dtype=np.float32)
    return cv2.cvtColor(light, cv2.COLOR_RGB2LAB).astype(np.float32, copy=False)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(1.0, _MEASURED_SIDE / max(height, width))
    return resize(image, (max(1, round(height * scale)), max(1, round(width * scale))))


def _unmeasurable(path: File, why: str) -> ImageError:
    return ImageError(
        f"{path}: {why}, so that its stain cannot be normalised", "remove its row, or set data.stain=null"
    )


_MEASURES = {"reinhard": measure_lab, "macenko": measure_dyes}
_APPLIED = {"reinhard": _apply_lab, "macenko": _apply_dyes}
#: Means over six fields of simulated donors, 640 x 480 pixels, in the simulator's reference stain.
_TARGETS: dict[StainMethod, tuple[float, ...]] = {
    "reinhard": (71.8, 11.5, -7.6, 18.5, 11.9, 14.0),
    "macenko": (0.728, 0.685, 0.001, 0.020, 0.851, 0.523, 1.90, 1.52, 223.0, 222.0, 222.0),
}
