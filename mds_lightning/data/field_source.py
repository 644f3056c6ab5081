"""The pixels of the fields of a cohort, from the cache or decoded from their files."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.decode import image_shape
from mds_lightning.data.original_fields import OriginalFields
from mds_lightning.data.pixel_store import DamagedPixelsError, PixelStore, Place
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization, read_field


class Fields(Protocol):
    """Source of pixels for a dataset."""

    def read(self, row: int, spec: ResizeSpec) -> NDArray[np.uint8]:
        """The field in `row` of the cohort's table, resized to `spec`: uint8, (H, W, 3), maybe read-only."""
        ...

    def shape(self, row: int, spec: ResizeSpec) -> tuple[int, int]:
        """(height, width) in pixels of what `read` returns, without decoding the field."""
        ...


class DecodedFields:
    """Fields that are decoded from their files at every read.

    The field read last is kept, because the tiles of a field are read one after the other.
    """

    def __init__(
        self, paths: Mapping[int, File], max_pixels: int, stain: StainNormalization | None = None
    ) -> None:
        self.paths = paths
        self.max_pixels = max_pixels
        self.stain = stain
        self._last: tuple[int, ResizeSpec, NDArray[np.uint8]] | None = None

    def read(self, row: int, spec: ResizeSpec) -> NDArray[np.uint8]:
        """See `Fields.read`.

        Raises:
            ImageError: The file cannot be decoded.
        """
        if self._last is None or self._last[:2] != (row, spec):
            field = spec(read_field(self.paths[row], self.max_pixels, self.stain))
            field.flags.writeable = False
            self._last = (row, spec, field)
        return self._last[2]

    def shape(self, row: int, spec: ResizeSpec) -> tuple[int, int]:
        """See `Fields.shape`.

        Raises:
            ImageError: The file's header cannot be read.
        """
        return spec.shape(*image_shape(self.paths[row], self.max_pixels))


class StoredFields:
    """Fields from the cache; the same bytes as those of `DecodedFields`.

    Fields whose pixels in the cache are damaged are decoded from their files at every read, which a warning
    says once for each process.
    """

    def __init__(
        self, stores: Mapping[ResizeSpec, PixelStore], contents: Mapping[int, str], originals: OriginalFields
    ) -> None:
        self._stores = dict(stores)
        self._originals = originals
        self._places: dict[ResizeSpec, dict[int, Place]] = {
            spec: {row: store.place(content) for row, content in contents.items()}
            for spec, store in stores.items()
        }

    def read(self, row: int, spec: ResizeSpec) -> NDArray[np.uint8]:
        """See `Fields.read`.

        Raises:
            ImageError: The pixels are damaged, and the file cannot be decoded or has changed.
        """
        try:
            return self._stores[spec].read(self._places[spec][row])
        except DamagedPixelsError as error:
            return self._originals.read(row, spec, str(error))

    def shape(self, row: int, spec: ResizeSpec) -> tuple[int, int]:
        """See `Fields.shape`."""
        place = self._places[spec][row]
        return place.height, place.width
