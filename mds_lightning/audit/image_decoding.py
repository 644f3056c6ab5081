"""Decoding of all images of a cohort, in several processes, keeping only sizes and errors."""

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
from mds_lightning.data.decode import ImageError, decode_image
from mds_lightning.data.image_bytes import read_image_file
from mds_lightning.data.parallel_map import map_ahead, map_in_threads, reader_threads, usable_cores
from mds_lightning.data.stain_normalization import StainNormalization

#: Starting processes takes longer than decoding this number of images.
_MIN_PARALLEL = 16
#: Images in one task of a process, and number of waiting tasks for each process.
_CHUNK, _WAITING = 8, 4


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """The result of decoding one image.

    Attributes:
        row: Row of the manifest, as a spreadsheet numbers it.
        shape: (height, width) in pixels, or None if it cannot be decoded.
        finding: Why it cannot be decoded, or None.
        remedy: What to do about it.
        content: SHA-256 of the file's bytes if it is in a remote folder, else None.
        brightest: Largest sample of its pixels before stain normalisation, 0 to 255, or None if it cannot be
            decoded.
    """

    row: int
    shape: tuple[int, int] | None
    finding: str | None = None
    remedy: str = ""
    content: str | None = None
    brightest: int | None = None


def decode_images(
    images: Mapping[int, File],
    max_pixels: int,
    workers: int | None = None,
    progress: bool = True,
    stain: StainNormalization | None = None,
) -> Iterator[DecodedImage]:
    """Decode every image completely, and keep its size only, so that memory does not grow with their number.

    Processes are used instead of threads, so that a decoder that crashes or is killed for lack of memory is
    reported as such.

    Args:
        images: Row of the manifest to file.
        max_pixels: Larger images are refused (see `decode_image`).
        workers: Processes (threads for remote files); None: one for each core that this process may use, and
            more threads for remote files.
        progress: Whether to show a progress bar if standard error is a terminal.
        stain: Images that cannot be normalised count as undecodable.

    Yields:
        One record for each image, in the order of `images`.

    Raises:
        ImageError: A process was killed, most likely for lack of memory.
        RemoteError: The remote folder of the images cannot be read.
    """
    decode = partial(_decode, max_pixels=max_pixels, stain=stain)
    records = _decode_somewhere(images, decode, workers)
    disable = None if progress else True
    yield from tqdm(records, total=len(images), desc="decoding", unit="image", disable=disable)


def _decode_somewhere(
    images: Mapping[int, File], decode: "partial[DecodedImage]", workers: int | None
) -> Iterator[DecodedImage]:
    if any(isinstance(path, RemoteFile) for path in images.values()):
        # Most time is spent waiting for the network, and connections cannot be shared between processes.
        threads = reader_threads(list(images.values()), workers)
        return map_in_threads(lambda item: decode(*item), images.items(), threads)
    workers = usable_cores() if workers is None else workers
    here = workers == 1 or len(images) <= _MIN_PARALLEL
    return _decode_here(images, decode) if here else _decode_in_processes(images, decode, workers)


def _decode_here(images: Mapping[int, File], decode: "partial[DecodedImage]") -> Iterator[DecodedImage]:
    for row, path in images.items():
        with warnings.catch_warnings():
            _ignore_warnings()
            record = decode(row, path)
        yield record


def _decode_in_processes(
    images: Mapping[int, File], decode: "partial[DecodedImage]", workers: int
) -> Iterator[DecodedImage]:
    # Not forked: another thread may hold a lock that a child would wait for.
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    done = 0
    with ProcessPoolExecutor(workers, context, _ignore_warnings) as pool:
        decoded = map_ahead(pool, partial(_decode_chunk, decode), _chunks(images), _WAITING * workers)
        try:
            for records in decoded:
                for record in records:
                    done += 1
                    yield record
        except BrokenProcessPool as error:
            raise ImageError(
                f"a process that decodes images was killed after {done} of {len(images)}, most likely for "
                "lack of memory",
                "close other programs, or reduce data.max_pixels to refuse very large images",
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _chunks(images: Mapping[int, File]) -> Iterator[tuple[tuple[int, File], ...]]:
    items = iter(images.items())
    while chunk := tuple(islice(items, _CHUNK)):
        yield chunk


def _decode_chunk(decode: "partial[DecodedImage]", chunk: Sequence[tuple[int, File]]) -> list[DecodedImage]:
    return [decode(row, path) for row, path in chunk]


def _decode(row: int, path: File, max_pixels: int, stain: StainNormalization | None) -> DecodedImage:
    digest = None
    try:
        content = read_image_file(path, max_pixels)
        if isinstance(path, RemoteFile):
            digest = hashlib.sha256(content).hexdigest()
        image = decode_image(path, max_pixels, content)
        if stain is not None:
            stain(image, path)
    except ImageError as error:
        return DecodedImage(row, None, error.finding, error.remedy, digest)
    height, width = image.shape[:2]
    return DecodedImage(row, (height, width), content=digest, brightest=int(image.max()))


def _ignore_warnings() -> None:
    """Suppress Pillow's warnings on metadata, which do not affect pixels."""
    warnings.simplefilter("ignore")
