"""The cache of decoded images on disk, shared by all folds, jobs and workers."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.cache_capacity import Capacity
from mds_lightning.data.decode import ImageError
from mds_lightning.data.file_catalog import FileCatalog
from mds_lightning.data.parallel_map import map_in_threads, reader_threads
from mds_lightning.data.pixel_store import PixelStore
from mds_lightning.data.prepared_image import PreparedImage, prepare_image
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization

log = logging.getLogger(__name__)

#: Seconds between two commits: the most work that is lost when filling is interrupted.
_COMMIT_INTERVAL = 5.0
#: The list of known files in the folder of the cache.
_CATALOG = "catalog.jsonl"


@dataclass(frozen=True)
class CacheParameters:
    """Location and size of the cache.

    Attributes:
        directory: Folder of the cache; several cohorts, jobs and image sizes may share it.
        enabled: False: every image is decoded each time it is drawn. The network receives the same bytes.
        max_gb: Largest size of the cache, GB (10^9 bytes).
        workers: Threads that read and decode; None: one per core, and more for remote files.
    """

    directory: Path
    enabled: bool = True
    max_gb: float = 100.0
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.max_gb <= 0:
            raise ValueError(f"cache.max_gb is {self.max_gb}: give more than 0, or set cache.enabled=false")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"cache.workers is {self.workers}: give 1 or more, or null for all cores")


@dataclass(frozen=True)
class FillResult:
    """Result of `FieldCache.fill`.

    Attributes:
        contents: File to the SHA-256 of its bytes, which its image is stored under.
        faults: File to the reason why it cannot be decoded. Every file is in one of the two.
    """

    contents: dict[File, str]
    faults: dict[File, str]


def is_cache(directory: Path) -> bool:
    """Whether a directory was filled as a cache before."""
    return (directory / _CATALOG).is_file()


class FieldCache:
    """Decoded images on disk, addressed by the hash of the file's bytes and by their `ResizeSpec`.

    A changed file has another hash, and changed settings or library versions another folder, so that outdated
    pixels are never returned. Whether a file has changed is judged by its size, times and inode, as git does,
    so that a start reads no image. One job at a time fills the cache; jobs that start meanwhile wait for it.
    Images are stored in the order of the cohort: filling that was interrupted and continued writes the same
    bytes as filling without interruption. Nothing is ever removed: delete the directory, or one of the
    folders in it, while no job runs.
    """

    def __init__(self, parameters: CacheParameters) -> None:
        self.directory = parameters.directory
        self.workers = parameters.workers
        self.max_bytes = int(parameters.max_gb * 1e9)

    def shapes(self, paths: Sequence[File]) -> dict[File, tuple[int, int]]:
        """(height, width) of the images that are in the cache, without opening a file."""
        catalog = self._catalog()
        known = {path: catalog.find(path) for path in paths}
        return {path: entry.shape for path, entry in known.items() if entry is not None}

    def store(self, spec: ResizeSpec, stain: StainNormalization | None = None) -> PixelStore:
        """The stored images of `spec`, normalised by `stain`, as they are on disk now."""
        return PixelStore(self.directory / (spec.key if stain is None else f"{spec.key}-{stain.key}"))

    def fill(
        self,
        paths: Sequence[File],
        specs: Sequence[ResizeSpec],
        max_pixels: int,
        stain: StainNormalization | None = None,
    ) -> FillResult:
        """Store every image that is not stored yet; each is decoded once for all specs.

        Raises:
            CacheFullError: The disk or the limit `max_gb` leaves too little room. What was stored remains.
        """
        catalog, stores = self._catalog(), [self.store(spec, stain) for spec in specs]
        contents, missing = _look_up(paths, catalog, stores)
        if not missing:
            return FillResult(contents, {})
        self.directory.mkdir(parents=True, exist_ok=True)
        with _locked(self.directory / ".lock"):
            # Another job may have stored them while this one waited.
            catalog, stores = self._catalog(), [self.store(spec, stain) for spec in specs]
            contents, missing = _look_up(paths, catalog, stores)
            faults: dict[File, str] = {}
            made = self._make(missing, specs, max_pixels, stain, catalog, stores, faults)
            is_native = any(spec.size is None for spec in specs)
            capacity = Capacity(self.directory, self.max_bytes, len(missing), is_native)
            committed = time.monotonic()
            with capacity.discard_on_error(stores):
                for image in made:
                    capacity.reserve(sum(pixels.nbytes for pixels in image.images))
                    _add(image, catalog, stores)
                    contents[image.path] = image.known.content
                    if time.monotonic() - committed > _COMMIT_INTERVAL:
                        _commit(stores, catalog)
                        committed = time.monotonic()
                _commit(stores, catalog)
        return FillResult(contents, faults)

    def _catalog(self) -> FileCatalog:
        return FileCatalog(self.directory / _CATALOG)

    def _make(
        self,
        paths: Sequence[File],
        specs: Sequence[ResizeSpec],
        max_pixels: int,
        stain: StainNormalization | None,
        catalog: FileCatalog,
        stores: Sequence[PixelStore],
        faults: dict[File, str],
    ) -> Iterator[PreparedImage]:
        """Decode `paths` in order; files that cannot be decoded are added to `faults`."""
        stored = {
            content: shape for content, shape in catalog.shape_of.items() if _contains_all(stores, content)
        }

        def make(path: File) -> PreparedImage | ImageError:
            try:
                return prepare_image(path, specs, max_pixels, stain, stored)
            except ImageError as error:
                return error

        bar = tqdm(paths, desc=f"decoding into {self.directory}", unit="image", disable=None, leave=False)
        for path, result in zip(
            bar, map_in_threads(make, paths, reader_threads(paths, self.workers)), strict=True
        ):
            if isinstance(result, ImageError):
                faults[path] = str(result)
            else:
                yield result
        log.info("decoded %d images into %s", len(paths) - len(faults), self.directory)


def _look_up(
    paths: Sequence[File], catalog: FileCatalog, stores: Sequence[PixelStore]
) -> tuple[dict[File, str], list[File]]:
    """Hashes of the files whose images are stored for every spec, and the other files."""
    contents: dict[File, str] = {}
    missing: list[File] = []
    for path in dict.fromkeys(paths):
        known = catalog.find(path)
        if known is not None and _contains_all(stores, known.content):
            contents[path] = known.content
        else:
            missing.append(path)
    return contents, missing


def _contains_all(stores: Sequence[PixelStore], content: str) -> bool:
    return all(content in store for store in stores)


def _add(image: PreparedImage, catalog: FileCatalog, stores: Sequence[PixelStore]) -> None:
    if image.images:
        for store, pixels in zip(stores, image.images, strict=True):
            # Already stored: another file has the same bytes, or only this spec was committed before.
            if image.known.content not in store:
                store.append(image.known.content, pixels)
    catalog.add(image.path, image.fingerprint, image.known)


def _commit(stores: Sequence[PixelStore], catalog: FileCatalog) -> None:
    for store in stores:
        store.commit()
    catalog.commit()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        log.info("another job is filling %s: waiting for it", path.parent)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
