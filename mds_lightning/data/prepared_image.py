"""Reading of one image file for the cache: its hash, and its pixels in the sizes to be stored."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.decode import ImageError
from mds_lightning.data.file_catalog import Fingerprint, KnownImage
from mds_lightning.data.image_bytes import read_image_file
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization, read_field


@dataclass(frozen=True)
class PreparedImage:
    """One file, decoded and resized.

    Attributes:
        path: The file.
        fingerprint: Its fingerprint before it was read.
        known: Its content.
        images: The image in each size, uint8 (H, W, 3); empty if they are already stored.
    """

    path: File
    fingerprint: Fingerprint
    known: KnownImage
    images: tuple[NDArray[np.uint8], ...]


def prepare_image(
    path: File,
    specs: Sequence[ResizeSpec],
    max_pixels: int,
    stain: StainNormalization | None,
    stored: Mapping[str, tuple[int, int]],
) -> PreparedImage:
    """Read, decode and resize one file.

    Args:
        path: The file.
        specs: Sizes to be stored.
        max_pixels: Larger images are refused.
        stain: Stain normalisation.
        stored: Content hash to shape of the images that are stored in all sizes; they are not decoded again.

    Raises:
        ImageError: The file cannot be decoded or normalised, or it changed while it was read.
    """
    before = _fingerprint(path)
    content = read_image_file(path, max_pixels)
    if _fingerprint(path) != before or before is None:
        raise ImageError(
            f"{path}: changed while it was read", "wait until it is copied, and run the command again"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest in stored:
        # The file was moved or copied, or its time stamp was changed.
        return PreparedImage(path, before, KnownImage(digest, stored[digest]), ())
    image = read_field(path, max_pixels, stain, content)
    height, width = image.shape[:2]
    return PreparedImage(
        path, before, KnownImage(digest, (height, width)), tuple(spec(image) for spec in specs)
    )


def _fingerprint(path: File) -> Fingerprint | None:
    try:
        return Fingerprint.of(path.stat())
    except OSError:
        return None
