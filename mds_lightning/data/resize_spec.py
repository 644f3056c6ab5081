"""The size to which a decoded field is resized before it is stored or cropped."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import __version__ as pillow
from PIL import features

# OpenCV's threads do not survive a fork: a worker of a data loader would wait for them forever. Each worker
# also has its own core, so that more threads would only slow each other down.
cv2.setNumThreads(0)

#: Increase it when `decode_image` or `ResizeSpec` returns other bytes for the same file, or when `PixelStore`
#: writes them in another form.
_VERSION = 2
#: Ratio between values of `oversampling`, so that a search over `augmentation.crop` stores few sizes.
_STEP = math.sqrt(2)


@dataclass(frozen=True)
class ResizeSpec:
    """How a decoded field is resized; a function of the field alone.

    Attributes:
        size: (height, width) of the network's input, pixels. None: the field in its own size times
            `magnification`, which tiles of any size are cut from.
        oversampling: None: exactly `size`, for evaluation. Otherwise (1 or more) the field keeps its aspect
            ratio and is shrunk until both sides are at least `oversampling` times those of `size`; random
            views are cut from it. A field is never enlarged.
        magnification: Used if `size` is None, in (0, 1]. 1: the decoded pixels; 0.5: half as many along each
            side.
    """

    size: tuple[int, int] | None
    oversampling: float | None = None
    magnification: float = 1.0

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return `image` (uint8, H x W x 3) resized; `image` itself if it has the size already."""
        return resize(image, self.shape(*image.shape[:2]))

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) in pixels to which a field of this height and width is resized."""
        if self.size is None:
            scale = self.magnification
        elif self.oversampling is None:
            return self.size
        else:
            scale = self.oversampling * max(self.size[0] / height, self.size[1] / width)
        if scale >= 1:
            return height, width
        return max(1, round(height * scale)), max(1, round(width * scale))

    @property
    def key(self) -> str:
        """Name of the folder for these settings and library versions, on which the bytes depend."""
        versions = {"pillow": pillow, "jpeg": features.version("libjpeg_turbo"), "opencv": cv2.__version__}
        digest = hashlib.sha256(json.dumps([_VERSION, asdict(self), versions]).encode()).hexdigest()
        if self.size is None:
            return f"native-x{self.magnification:.2f}-{digest[:12]}"
        kind = "view" if self.oversampling is None else f"field-x{self.oversampling:.2f}"
        return f"{self.size[0]}x{self.size[1]}-{kind}-{digest[:12]}"


def round_oversampling(least: float) -> float:
    """The smallest power of the square root of 2 that is `least` (1 or more) or larger."""
    return float(_STEP ** math.ceil(math.log(least, _STEP) - 1e-9))


def resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize `image` (H, W, 3) to `size` (height, width): area mean when shrinking, linear when growing."""
    if image.shape[:2] == size:
        return image
    shrinks = image.shape[0] >= size[0] and image.shape[1] >= size[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, size[::-1], interpolation=interpolation).astype(np.uint8, copy=False)
