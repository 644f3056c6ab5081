"""How much room the cache has left."""

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mds_lightning.data.pixel_store import PixelStore

#: Bytes of the disk that are left free, or this fraction of the disk if that is less.
_RESERVE, _RESERVED_FRACTION = 1_000_000_000, 0.02
#: Number of images after which the room for all others is estimated.
_SAMPLE = 8


class CacheFullError(ValueError):
    """The cache has reached its limit, or the disk is full; the message gives needed room and remedy."""


class Capacity:
    """The room for additional images in a cache.

    Args:
        directory: Folder of the cache.
        max_bytes: Largest size of the cache.
        images: Number of images to be added.
        is_native: Whether they are stored in their own resolution, for tiles.
    """

    def __init__(self, directory: Path, max_bytes: int, images: int, is_native: bool = False) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.images = images
        # Files are compressed and the cache is not, so that its size may surprise.
        self._why = (
            " (data.view stores every field in its own resolution, for its tiles; data.magnification=0.5 "
            "needs a quarter of that)"
            if is_native
            else ""
        )
        self._used = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
        disk = shutil.disk_usage(directory)
        self._free = disk.free - min(_RESERVE, int(_RESERVED_FRACTION * disk.total))
        self._made = 0
        self._added = 0

    def reserve(self, n_bytes: int) -> None:
        """Count an image of `n_bytes` bytes that is about to be stored.

        Raises:
            CacheFullError: There is no room for it or, once that can be estimated, for the images that
                follow.
        """
        self._made += 1
        self._added += n_bytes
        needed = self._added
        if self._made == _SAMPLE:
            needed = self._added * self.images // _SAMPLE
        if needed > self.max_bytes - self._used:
            raise CacheFullError(
                f"{self.directory}: holds {_gb(self._used)}, and {self.images} images more need about "
                f"{_gb(max(needed, self._added * self.images // self._made))}, but cache.max_gb "
                f"allows {_gb(self.max_bytes)} together{self._why}: raise cache.max_gb, delete the folders "
                "of sizes that are no longer used, or set cache.enabled=false"
            )
        if needed > self._free:
            raise CacheFullError(self._disk_is_full(needed))

    @contextmanager
    def discard_on_error(self, stores: Sequence[PixelStore]) -> Iterator[None]:
        """On an error, discard what was stored since the last commit; a full disk raises `CacheFullError`."""
        try:
            yield
        except BaseException as error:
            for store in stores:
                store.discard()
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise CacheFullError(self._disk_is_full(self._added)) from error
            raise

    def _disk_is_full(self, needed: int) -> str:
        needed = max(needed, self._added * self.images // max(self._made, 1))
        return (
            f"{self.directory}: the disk has room for {_gb(max(self._free, 0))}, and {self.images} images "
            f"need about {_gb(needed)}{self._why}: free some space, set cache.directory=DIR to another disk, "
            "or set cache.enabled=false; then run the same command again"
        )


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.3g} GB"
