"""Whether every image of a cohort can be decoded, found out by decoding it."""

import hashlib
import multiprocessing
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice

from tqdm import tqdm

from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_folder import RemoteFile
from mds_lightning.data.decode import ImageError, read_image_file
from mds_lightning.data.parallel_map import map_ahead, map_in_threads, reader_threads, usable_cores
from mds_lightning.data.stain_normalization import StainNormalization, read_field

#: Fewer images are decoded faster than processes start.
_FEW = 16
#: Images that a process is given at once, and such portions for each process that wait their turn.
_PORTION, _WAITING = 8, 4


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """What became of one image.

    Attributes:
        row: Row of the manifest, as a spreadsheet shows it.
        shape: (height, width) in pixels, or None if it cannot be decoded.
        fault: Why not, and what to do about it; or None.
        content: SHA-256 of the file's bytes where it lies in a remote folder, else None.
    """

    row: int
    shape: tuple[int, int] | None
    fault: str | None
    content: str | None = None


def decode_images(
    images: Mapping[int, File],
    max_pixels: int,
    workers: int | None = None,
    progress: bool = True,
    stain: StainNormalization | None = None,
) -> Iterator[DecodedImage]:
    """Decode every image from the first pixel to the last, and keep its size alone.

    Each image is done in passing: memory does not grow with their number. Processes, not threads: a file
    that brings a decoder down, or a machine that ends it for want of memory, is told as what it is.

    Args:
        images: Row of the manifest to file.
        max_pixels: Larger images are refused (see `read_field`).
        workers: Processes (for remote files threads); None: one for each core that this process may use, and
            more threads.
        progress: Whether to show a bar, if standard error is a terminal.
        stain: Images that cannot be normalised are faulty too.

    Yields:
        One record an image, in the order of `images`.

    Raises:
        ImageError: A process was killed from outside, most likely for want of memory.
        RemoteError: The remote folder that the images lie in cannot be read.
    """
    decode = partial(_decode, max_pixels=max_pixels, stain=stain)
    records = _decode_somewhere(images, decode, workers)
    disable = None if progress else True
    yield from tqdm(records, total=len(images), desc="decoding", unit="image", disable=disable)


def _decode_somewhere(
    images: Mapping[int, File], decode: "partial[DecodedImage]", workers: int | None
) -> Iterator[DecodedImage]:
    if any(isinstance(path, RemoteFile) for path in images.values()):
        # Most of the time is waiting for answers, and a connection belongs to one process.
        threads = reader_threads(list(images.values()), workers)
        return map_in_threads(lambda item: decode(*item), images.items(), threads)
    workers = usable_cores() if workers is None else workers
    here = workers == 1 or len(images) <= _FEW
    return _decode_here(images, decode) if here else _decode_in_processes(images, decode, workers)


def _decode_here(images: Mapping[int, File], decode: "partial[DecodedImage]") -> Iterator[DecodedImage]:
    for row, path in images.items():
        with warnings.catch_warnings():
            _ignore_remarks()
            record = decode(row, path)
        yield record


def _decode_in_processes(
    images: Mapping[int, File], decode: "partial[DecodedImage]", workers: int
) -> Iterator[DecodedImage]:
    # Not forked: a bar's thread or a library's may hold a lock that a child would wait for.
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    done = 0
    with ProcessPoolExecutor(workers, context, _ignore_remarks) as pool:
        decoded = map_ahead(pool, partial(_decode_portion, decode), _portions(images), _WAITING * workers)
        try:
            for records in decoded:
                for record in records:
                    done += 1
                    yield record
        except BrokenProcessPool as error:
            raise ImageError(
                f"a process that decodes images was killed after {done} of {len(images)}, most likely "
                "for want of memory: close other programs, or lower data.max_pixels to refuse huge images"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _portions(images: Mapping[int, File]) -> Iterator[tuple[tuple[int, File], ...]]:
    items = iter(images.items())
    while portion := tuple(islice(items, _PORTION)):
        yield portion


def _decode_portion(
    decode: "partial[DecodedImage]", portion: Sequence[tuple[int, File]]
) -> list[DecodedImage]:
    return [decode(row, path) for row, path in portion]


def _decode(row: int, path: File, max_pixels: int, stain: StainNormalization | None) -> DecodedImage:
    digest = None
    try:
        content = read_image_file(path, max_pixels)
        if isinstance(path, RemoteFile):
            digest = hashlib.sha256(content).hexdigest()
        height, width = read_field(path, max_pixels, stain, content).shape[:2]
    except ImageError as error:
        return DecodedImage(row, None, str(error), digest)
    return DecodedImage(row, (height, width), None, digest)


def _ignore_remarks() -> None:
    """Keep Pillow's remarks on metadata, which no pixel depends on, off the terminal."""
    warnings.simplefilter("ignore")
