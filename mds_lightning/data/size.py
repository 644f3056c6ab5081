"""How large the network sees a field."""

import logging
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from mds_lightning.cohort.manifest import Cohort

log = logging.getLogger(__name__)

#: Every backbone halves the image five times, so sides are multiples of 32.
_STEP = 32
#: A field whose sides are squeezed against each other by more than this is worth a warning.
_DISTORTION = 0.1


def input_size(cohort: Cohort, requested: int | Sequence[int]) -> tuple[int, int]:
    """Return (height, width) of the network's input in pixels.

    Args:
        cohort: Its internal (not external) images decide on the shape.
        requested: [height, width], or the longer side alone: the shape is then that of the commonest image,
            the shorter side rounded to a multiple of 32.

    Raises:
        ValueError: A side is below 32 pixels.
    """
    if isinstance(requested, int):
        shapes = Counter(
            _shape(cohort, image) for image in cohort.table.loc[~cohort.table["external"], "image"]
        )
        height, width = shapes.most_common(1)[0][0]
        scale = requested / max(height, width)
        size = tuple(
            requested if side == max(height, width) else max(_STEP, round(side * scale / _STEP) * _STEP)
            for side in (height, width)
        )
        squeezed = [
            shape for shape in shapes if abs((shape[1] / shape[0]) / (size[1] / size[0]) - 1) > _DISTORTION
        ]
        for shape in squeezed:
            log.warning(
                "%d images of %d x %d pixels are squeezed to the input's shape of %d x %d; "
                "set data.image_size=[HEIGHT,WIDTH] to choose another",
                shapes[shape],
                shape[1],
                shape[0],
                size[1],
                size[0],
            )
    else:
        size = tuple(requested)
    if len(size) != 2 or min(size) < _STEP:
        raise ValueError(
            f"data.image_size is {requested}: give the longer side, or [height, width], of 32 pixels or more"
        )
    return size[0], size[1]


def _shape(cohort: Cohort, image: str) -> tuple[int, int]:
    """(height, width) from the header alone, after the EXIF turn."""
    with Image.open(cohort.path(image)) as opened:
        width, height = opened.size
        turned = opened.getexif().get(0x0112, 1) >= 5
    return (width, height) if turned else (height, width)
