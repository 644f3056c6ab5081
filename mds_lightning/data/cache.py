"""Every image decoded once, for all folds, jobs and workers that will ever read it."""

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from tqdm import tqdm

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.cache_capacity import Capacity
from mds_lightning.data.decode import ImageError, read_image_file
from mds_lightning.data.file_catalog import Catalog, Fingerprint, Known
from mds_lightning.data.parallel_map import map_in_threads, readers
from mds_lightning.data.pixel_store import Store
from mds_lightning.data.resize_spec import Form
from mds_lightning.data.stain_normalization import StainNormalization, read_field

log = logging.getLogger(__name__)

#: Seconds between two commits: so much work is lost at most when a build is killed.
_COMMIT = 5.0


@dataclass(frozen=True)
class CacheParameters:
    """Where decoded images are kept, and how much of them.

    Attributes:
        directory: The cache; any number of cohorts, jobs and image sizes may share it.
        enabled: False: every image is decoded anew each time it is drawn. The network sees the same bytes.
        max_gb: The cache never grows beyond this, GB (10^9 bytes).
        workers: Threads that read and decode; None: see `threads.readers`.
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
class Filling:
    """What became of the images that the cache was asked for.

    Attributes:
        contents: File to the hash that its image is stored under.
        faults: File to why it cannot be decoded. Every file is in one of the two.
    """

    contents: dict[File, str]
    faults: dict[File, str]


@dataclass(frozen=True)
class _Made:
    """One file, read and brought into the forms asked for; `images` is empty where they are stored."""

    path: File
    fingerprint: Fingerprint
    known: Known
    images: tuple[NDArray[np.uint8], ...]


class FieldCache:
    """Decoded images on the disk, found by the hash of the file's bytes and the form they were brought into.

    A changed file has another hash, and a changed setting or decoder another form: neither meets old pixels.
    Whether a file has changed is seen from its size, times and inode, as git does it, so that a start reads
    no image. One job at a time fills; others that start meanwhile wait for it and then find all they need.
    Images are stored in the order of the cohort: a build that was killed and continued has the bytes of one
    that was not. Nothing is ever removed: delete the directory, or a form's folder in it, when no job runs.
    """

    def __init__(self, parameters: CacheParameters) -> None:
        self.directory = parameters.directory
        self.workers = parameters.workers
        self.max_bytes = int(parameters.max_gb * 1e9)

    def shapes(self, paths: Sequence[File]) -> dict[File, tuple[int, int]]:
        """(height, width) of those images that are known, without opening a file."""
        catalog = self._catalog()
        known = {path: catalog.find(path) for path in paths}
        return {path: entry.shape for path, entry in known.items() if entry is not None}

    def store(self, form: Form, stain: StainNormalization | None = None) -> Store:
        """The images of `form`, in the colours of `stain`, as they are on the disk now."""
        return Store(self.directory / (form.key if stain is None else f"{form.key}-{stain.key}"))

    def fill(
        self,
        paths: Sequence[File],
        forms: Sequence[Form],
        max_pixels: int,
        stain: StainNormalization | None = None,
    ) -> Filling:
        """Store every image that is not stored yet, each decoded once for all forms.

        Raises:
            CacheFullError: There is no room for it, on the disk or under `max_gb`. What was stored remains.
        """
        catalog, stores = self._catalog(), [self.store(form, stain) for form in forms]
        contents, missing = _look_up(paths, catalog, stores)
        if not missing:
            return Filling(contents, {})
        self.directory.mkdir(parents=True, exist_ok=True)
        with _locked(self.directory / ".lock"):
            # Another job may have filled it while this one waited.
            catalog, stores = self._catalog(), [self.store(form, stain) for form in forms]
            contents, missing = _look_up(paths, catalog, stores)
            faults: dict[File, str] = {}
            made = self._make(missing, forms, max_pixels, stain, catalog, stores, faults)
            is_native = any(form.size is None for form in forms)
            capacity = Capacity(self.directory, self.max_bytes, len(missing), is_native)
            committed = time.monotonic()
            with capacity.kept(stores):
                for image in made:
                    capacity.reserve(sum(pixels.nbytes for pixels in image.images))
                    _add(image, catalog, stores)
                    contents[image.path] = image.known.content
                    if time.monotonic() - committed > _COMMIT:
                        _commit(stores, catalog)
                        committed = time.monotonic()
                _commit(stores, catalog)
        return Filling(contents, faults)

    def _catalog(self) -> Catalog:
        return Catalog(self.directory / "files.jsonl")

    def _make(
        self,
        paths: Sequence[File],
        forms: Sequence[Form],
        max_pixels: int,
        stain: StainNormalization | None,
        catalog: Catalog,
        stores: Sequence[Store],
        faults: dict[File, str],
    ) -> Iterator[_Made]:
        """Decode `paths` in their order; those that cannot be are entered in `faults`."""
        stored = {content: shape for content, shape in catalog.shape_of.items() if _holds(stores, content)}

        def make(path: File) -> _Made | ImageError:
            try:
                return _read(path, forms, max_pixels, stain, stored)
            except ImageError as error:
                return error

        bar = tqdm(paths, desc=f"decoding into {self.directory}", unit="image", disable=None, leave=False)
        for path, result in zip(bar, map_in_threads(make, paths, readers(paths, self.workers)), strict=True):
            if isinstance(result, ImageError):
                faults[path] = str(result)
            else:
                yield result
        log.info("decoded %d images into %s", len(paths) - len(faults), self.directory)


def _look_up(
    paths: Sequence[File], catalog: Catalog, stores: Sequence[Store]
) -> tuple[dict[File, str], list[File]]:
    """Hashes of the files whose images are stored in every form, and the other files."""
    contents: dict[File, str] = {}
    missing: list[File] = []
    for path in dict.fromkeys(paths):
        known = catalog.find(path)
        if known is not None and _holds(stores, known.content):
            contents[path] = known.content
        else:
            missing.append(path)
    return contents, missing


def _holds(stores: Sequence[Store], content: str) -> bool:
    return all(content in store for store in stores)


def _read(
    path: File,
    forms: Sequence[Form],
    max_pixels: int,
    stain: StainNormalization | None,
    stored: dict[str, tuple[int, int]],
) -> _Made:
    before = _fingerprint(path)
    content = read_image_file(path, max_pixels)
    if _fingerprint(path) != before or before is None:
        raise ImageError(f"{path}: changed while it was read: wait until it is copied, and start again")
    digest = hashlib.sha256(content).hexdigest()
    if digest in stored:
        # The file was moved, touched or copied.
        return _Made(path, before, Known(digest, stored[digest]), ())
    image = read_field(path, max_pixels, stain, content)
    height, width = image.shape[:2]
    return _Made(path, before, Known(digest, (height, width)), tuple(form(image) for form in forms))


def _fingerprint(path: File) -> Fingerprint | None:
    try:
        return Fingerprint.of(path.stat())
    except OSError:
        return None


def _add(image: _Made, catalog: Catalog, stores: Sequence[Store]) -> None:
    if image.images:
        for store, pixels in zip(stores, image.images, strict=True):
            # One of two files with the same bytes, or a form that was committed when the next one was not.
            if image.known.content not in store:
                store.append(image.known.content, pixels)
    catalog.add(image.path, image.fingerprint, image.known)


def _commit(stores: Sequence[Store], catalog: Catalog) -> None:
    for store in stores:
        store.commit()
    catalog.commit()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        log.info("another job fills %s: waiting for it", path.parent)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
