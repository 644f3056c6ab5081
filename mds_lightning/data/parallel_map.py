"""The same work on many items at once, with the results in order and few of them in memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from mds_lightning.cohort.remote_folder import IN_FLIGHT, RemoteFile

T = TypeVar("T")
R = TypeVar("R")


def map_in_threads(function: Callable[[T], R], items: Iterable[T], workers: int | None = None) -> Iterator[R]:
    """Yield `function(item)` for every item, in their order, computed by several threads a little ahead.

    Decoding, hashing and resizing release Python's lock, so that threads do here what processes would, and
    need not send pixels to each other. At most twice as many results as threads are waiting, whatever the
    number of items.

    Args:
        function: What it raises is raised here.
        items: What to work on.
        workers: Threads; None: one for each core that this process may use.
    """
    workers = usable_cores() if workers is None else workers
    with ThreadPoolExecutor(workers, "decode") as pool:
        yield from map_ahead(pool, function, items, 2 * workers)


def map_ahead(pool: Executor, function: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """Yield `function(item)` for every item, in their order; `pool` has at most `ahead` + 1 of them at once.

    Its own `map` would hand over all items before the first result is there.
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


def readers(files: Sequence[object], workers: int | None = None) -> int:
    """How many threads read `files`: `workers`; None: one a core, more where a network is waited for."""
    if workers is not None:
        return workers
    return max(usable_cores(), IN_FLIGHT if any(isinstance(file, RemoteFile) for file in files) else 1)


def usable_cores() -> int:
    """Cores that this process may use; not every system tells."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
