"""The fields of a cohort as pixels, whether they come from the cache or from their files."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.decode import image_shape
from mds_lightning.data.pixel_store import Place, Store
from mds_lightning.data.resize_spec import Form
from mds_lightning.data.stain_normalization import StainNormalization, read_field


class Fields(Protocol):
    """Where a dataset has its pixels from."""

    def read(self, row: int, form: Form) -> NDArray[np.uint8]:
        """The field in `row` of the cohort's table, in `form`: uint8, (H, W, 3), perhaps read-only."""
        ...

    def shape(self, row: int, form: Form) -> tuple[int, int]:
        """(height, width) of what `read` returns, without reading a pixel."""
        ...


class DecodedFields:
    """Every field decoded from its file whenever it is read, but for the one that was read last.

    (The tiles of a field are read one after the other.)
    """

    def __init__(
        self, paths: Mapping[int, File], max_pixels: int, stain: StainNormalization | None = None
    ) -> None:
        self.paths = paths
        self.max_pixels = max_pixels
        self.stain = stain
        self._last: tuple[int, Form, NDArray[np.uint8]] | None = None

    def read(self, row: int, form: Form) -> NDArray[np.uint8]:
        """See `Fields.read`.

        Raises:
            ImageError: The file cannot be decoded.
        """
        if self._last is None or self._last[:2] != (row, form):
            field = form(read_field(self.paths[row], self.max_pixels, self.stain))
            field.flags.writeable = False
            self._last = (row, form, field)
        return self._last[2]

    def shape(self, row: int, form: Form) -> tuple[int, int]:
        """See `Fields.shape`.

        Raises:
            ImageError: The file's header cannot be read.
        """
        return form.shape(*image_shape(self.paths[row], self.max_pixels))


class StoredFields:
    """Fields from the cache; the same bytes as `DecodedFields` would give."""

    def __init__(self, stores: Mapping[Form, Store], contents: Mapping[int, str]) -> None:
        self._stores = dict(stores)
        self._places: dict[Form, dict[int, Place]] = {
            form: {row: store.place(content) for row, content in contents.items()}
            for form, store in stores.items()
        }

    def read(self, row: int, form: Form) -> NDArray[np.uint8]:
        """See `Fields.read`."""
        return self._stores[form].read(self._places[form][row])

    def shape(self, row: int, form: Form) -> tuple[int, int]:
        """See `Fields.shape`."""
        place = self._places[form][row]
        return place.height, place.width
