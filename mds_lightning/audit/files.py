"""Whether every image of a cohort can be decoded, found out by decoding it."""

import multiprocessing
import os
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from mds_lightning.data.decode import ImageError, decode_image

#: Fewer images are decoded faster than processes start.
_FEW = 16


@dataclass(frozen=True)
class DecodedImage:
    """What became of one image.

    Attributes:
        row: Row of the manifest, as a spreadsheet shows it.
        shape: (height, width) in pixels, or None if it cannot be decoded.
        fault: Why not, and what to do about it; or None.
    """

    row: int
    shape: tuple[int, int] | None
    fault: str | None


def decode_images(
    images: Mapping[int, Path], max_pixels: int, workers: int | None = None, progress: bool = True
) -> tuple[DecodedImage, ...]:
    """Decode every image from the first pixel to the last, and keep its size alone.

    Args:
        images: Row of the manifest to file.
        max_pixels: Larger images are refused (see `decode_image`).
        workers: Processes; None: one for each core that this process may use.
        progress: Whether to show a bar, if standard error is a terminal.

    Returns:
        One record an image, in the order of `images`.

    Raises:
        ImageError: A process was killed from outside, most likely for want of memory.
    """
    workers = _usable_cores() if workers is None else workers
    decode = partial(_decode, max_pixels=max_pixels)
    bar = tqdm(total=len(images), desc="decoding", unit="image", disable=None if progress else True)
    with bar:
        if workers == 1 or len(images) <= _FEW:
            with warnings.catch_warnings():
                _ignore_remarks()
                records = []
                for row, path in images.items():
                    records.append(decode(row, path))
                    bar.update()
            return tuple(records)
        return _decode_in_processes(images, decode, workers, bar)


def _decode_in_processes(
    images: Mapping[int, Path], decode: "partial[DecodedImage]", workers: int, bar: "tqdm[None]"
) -> tuple[DecodedImage, ...]:
    # Not forked: a bar's thread or a library's may hold a lock that a child would wait for.
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    done: dict[int, DecodedImage] = {}
    with ProcessPoolExecutor(workers, context, _ignore_remarks) as pool:
        futures = {pool.submit(decode, row, path): row for row, path in images.items()}
        try:
            for future in as_completed(futures):
                done[futures[future]] = future.result()
                bar.update()
        except BrokenProcessPool as error:
            raise ImageError(
                f"a process that decodes images was killed after {len(done)} of {len(images)}, most likely "
                "for want of memory: close other programs, or lower max_pixels to refuse huge images"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tuple(done[row] for row in images)


def _usable_cores() -> int:
    # Not every system tells how many of its cores this process may use.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _decode(row: int, path: Path, max_pixels: int) -> DecodedImage:
    try:
        height, width = decode_image(path, max_pixels).shape[:2]
    except ImageError as error:
        return DecodedImage(row, None, str(error))
    return DecodedImage(row, (height, width), None)


def _ignore_remarks() -> None:
    """Keep Pillow's remarks on metadata, which no pixel depends on, off the terminal."""
    warnings.simplefilter("ignore")
