"""The input size of the network, derived from the configuration and the images."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from tqdm import tqdm

from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.cache import FieldCache
from mds_lightning.data.decode import ImageError, image_shape
from mds_lightning.data.parallel_map import map_in_threads, reader_threads
from mds_lightning.data.undecodable_images import refuse_undecodable

log = logging.getLogger(__name__)

#: Smallest side, pixels: every backbone halves the image five times.
_MIN_SIDE = 32
#: Relative change of the aspect ratio above which a warning is logged.
_MAX_DISTORTION = 0.1


def input_size(
    cohort: Cohort,
    requested: int | Sequence[int],
    max_pixels: int,
    cache: FieldCache | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    is_squeezed: bool = True,
) -> tuple[int, int]:
    """Return (height, width) of the network's input in pixels.

    Args:
        cohort: Its internal (not external) images determine the aspect ratio.
        requested: [height, width], or the longer side; the aspect ratio is then that of the most common
            image.
        max_pixels: Largest image that may be decoded (`data.max_pixels`).
        cache: Provides the shapes of the images in it, whose files are then not opened.
        on_error: 'skip' ignores unreadable images, unless all are unreadable.
        is_squeezed: Whether whole fields are resized to this size; a changed aspect ratio is then logged as a
            warning.

    Raises:
        ImageError: Images are unreadable or larger than `max_pixels`.
        ValueError: A side is below 32 pixels.
    """
    if isinstance(requested, int):
        shapes = _shapes(cohort, max_pixels, cache, on_error)
        [(most_common, _)] = shapes.most_common(1)
        size = tuple(round(side * requested / max(most_common)) for side in most_common)
        if is_squeezed:
            _warn_of_distortion(shapes, size)
    else:
        size = tuple(requested)
    if len(size) != 2 or min(size) < _MIN_SIDE:
        raise ValueError(
            f"data.image_size is {requested}: give the longer side, or [height, width], so that no side is "
            f"below {_MIN_SIDE} pixels, such as data.image_size=224"
        )
    return size[0], size[1]


def _shapes(
    cohort: Cohort, max_pixels: int, cache: FieldCache | None, on_error: str
) -> Counter[tuple[int, int]]:
    """(height, width) of the internal images, and the number of images of each."""
    internal = cohort.table.loc[~cohort.table["external"], "image"].tolist()
    paths = [cohort.path(image) for image in internal]
    known = cache.shapes(paths) if cache is not None else {}
    shapes: Counter[tuple[int, int]] = Counter()
    faults = {}
    found = _read_shapes([path for path in paths if path not in known], max_pixels)
    for image, path in zip(internal, paths, strict=True):
        shape = known.get(path) or found[path]
        if isinstance(shape, ImageError):
            faults[image] = str(shape)
        else:
            shapes[shape] += 1
    if on_error == "raise" or not shapes:
        refuse_undecodable(faults, len(paths))
    return shapes


def _read_shapes(paths: Sequence[File], max_pixels: int) -> dict[File, tuple[int, int] | ImageError]:
    """(height, width) of every image from its header, or the error; several at a time."""

    def read(path: File) -> tuple[int, int] | ImageError:
        try:
            return image_shape(path, max_pixels)
        except ImageError as error:
            return error

    paths = list(dict.fromkeys(paths))
    bar = tqdm(paths, desc="reading sizes", unit="image", disable=None, leave=False)
    return dict(zip(paths, map_in_threads(read, bar, reader_threads(paths)), strict=True))


def _warn_of_distortion(shapes: Counter[tuple[int, int]], size: tuple[int, ...]) -> None:
    distorted = Counter(
        {
            (height, width): number
            for (height, width), number in shapes.items()
            if abs((width / height) / (size[1] / size[0]) - 1) > _MAX_DISTORTION
        }
    )
    if distorted:
        (height, width), number = distorted.most_common(1)[0]
        others = ""
        if len(distorted) > 1:
            others = f" and {distorted.total() - number} of {len(distorted) - 1} other sizes"
        log.warning(
            "%d images of %d x %d pixels%s are resized to %d x %d, which changes their aspect ratio; "
            "set data.image_size=[HEIGHT,WIDTH] to choose another size",
            *(number, width, height, others, size[1], size[0]),
        )
