"""Parallel map over many items, with results in order and few of them in memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from mds_lightning.cohort.remote_folder import CONCURRENT_REQUESTS, RemoteFile

T = TypeVar("T")
R = TypeVar("R")


def map_in_threads(function: Callable[[T], R], items: Iterable[T], workers: int | None = None) -> Iterator[R]:
    """Yield `function(item)` for every item, in order, computed by several threads ahead of the consumer.

    Decoding, hashing and resizing release the global interpreter lock, so that threads are as fast as
    processes and pixels need not be sent between processes. At most twice as many results as threads are
    waiting.

    Args:
        function: Its exceptions are raised here.
        items: Its arguments.
        workers: Threads; None: one for each core that this process may use.
    """
    workers = usable_cores() if workers is None else workers
    with ThreadPoolExecutor(workers, "decode") as pool:
        yield from map_ahead(pool, function, items, 2 * workers)


def map_ahead(pool: Executor, function: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """Yield `function(item)` for every item, in order; at most `ahead` + 1 are submitted to `pool` at once.

    `Executor.map` would submit all items before the first result is available.
    """
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def reader_threads(files: Sequence[object], workers: int | None = None) -> int:
    """Number of threads for reading `files`: `workers`; None: one per core, and more for remote files."""
    if workers is not None:
        return workers
    return max(
        usable_cores(), CONCURRENT_REQUESTS if any(isinstance(file, RemoteFile) for file in files) else 1
    )


def usable_cores() -> int:
    """Number of cores that this process may use (all cores, if the system does not report it)."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
