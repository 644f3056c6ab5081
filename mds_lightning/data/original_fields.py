"""Fields whose pixels in the cache are damaged, decoded from their files."""

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.image_error import ImageError
from mds_lightning.data.prepared_image import prepare_image
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization

log = logging.getLogger(__name__)


class OriginalFields:
    """The files from which the fields of a cache were decoded.

    Args:
        paths: Row of the cohort's table to its file.
        contents: Row to the SHA-256 of the file from which the field in the cache was decoded.
        max_pixels: Larger images are refused.
        stain: Stain normalization.
    """

    def __init__(
        self,
        paths: Mapping[int, File],
        contents: Mapping[int, str],
        max_pixels: int,
        stain: StainNormalization | None,
    ) -> None:
        self._paths = paths
        self._contents = contents
        self._max_pixels = max_pixels
        self._stain = stain
        self._reported: set[tuple[int, ResizeSpec]] = set()
        self._last: tuple[int, ResizeSpec, NDArray[np.uint8]] | None = None

    def read(self, row: int, spec: ResizeSpec, damage: str) -> NDArray[np.uint8]:
        """The field in `row`, resized to `spec`: uint8, (H, W, 3), read-only.

        Args:
            row: Row of the cohort's table.
            spec: Size of the field.
            damage: Where the damaged pixels are, for the warning.

        Raises:
            ImageError: The file cannot be decoded, or is not the one whose pixels were stored.
        """
        path = self._paths[row]
        if (row, spec) not in self._reported:
            self._reported.add((row, spec))
            log.warning(
                "the pixels of %s in the cache are damaged (%s): the file is decoded instead whenever it is "
                "needed; delete the cache while no job runs, and it is written again",
                *(path, damage),
            )
        # The field read last is kept, because the tiles of a field are read one after the other.
        if self._last is None or self._last[:2] != (row, spec):
            self._last = (row, spec, self._decode(path, self._contents[row], spec))
        return self._last[2]

    def _decode(self, path: File, content: str, spec: ResizeSpec) -> NDArray[np.uint8]:
        prepared = prepare_image(path, (spec,), self._max_pixels, self._stain, {})
        if prepared.known.content != content:
            raise ImageError(
                f"{path}: has changed since this run began, and its pixels in the cache are damaged",
                "restore the file, or give the study another name (study=NAME)",
            )
        [field] = prepared.images
        field = np.ascontiguousarray(field)
        field.flags.writeable = False
        return field
