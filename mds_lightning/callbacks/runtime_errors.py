"""Breakdowns of a running training that are nobody's bug, said so that a user can mend them."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import lightning
import torch

from mds_lightning.data.decode import ImageError

log = logging.getLogger(__name__)

T = TypeVar("T")


class BreakdownError(ValueError):
    """Training broke off for want of memory, or a worker was killed; the message says how to go on."""


class WorkerDeathError(BreakdownError):
    """A process that loads images was killed."""


@contextmanager
def explained_breakdown(batch_size: int, size: tuple[int, int]) -> Iterator[None]:
    """Turn what torch raises when memory or a worker is gone into a message that names the keys to change.

    Args:
        batch_size: `data.batch_size`.
        size: (height, width) that `data.image_size` came to.

    Raises:
        BreakdownError: See there.
        ImageError: One was raised in a worker: here it has lost the worker's traceback.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise BreakdownError(
            f"the GPU has no memory left for data.batch_size={batch_size} images of {size[0]} x {size[1]} "
            f"pixels ({str(error).splitlines()[0]}): lower data.batch_size (say, to "
            f"{max(1, batch_size // 2)}) or data.image_size, and give the study another name (study=NAME), "
            "as both change what is learnt"
        ) from error
    except ImageError as error:
        raise ImageError(str(error)) from error
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise WorkerDeathError(
            f"a process that loads images was killed, most likely for want of memory ({error}): lower "
            "data.num_workers; the command then goes on from the last finished epoch "
            "(data.max_worker_deaths=3 does so by itself)"
        ) from error


def outlive_workers(work: Callable[[], T], most: int) -> T:
    """Return `work()`, which is called again if a process that loads images was killed.

    Args:
        work: Goes on from what it left on the disk, with the same result as if nothing had happened.
        most: After so many deaths the next one is raised.

    Raises:
        WorkerDeathError: One death too many.
    """
    for death in range(1, most + 1):
        try:
            return work()
        except WorkerDeathError as error:
            log.warning("%s; going on (%d of data.max_worker_deaths=%d)", error, death, most)
        # The trainer that broke off is garbage now; the workers that it has left would keep their memory.
        gc.collect()
    return work()


@contextmanager
def passing_interrupts(trainer: lightning.Trainer) -> Iterator[None]:
    """Let Ctrl-C during `trainer`'s work arrive as KeyboardInterrupt.

    Lightning ends the process with exit code 1 instead, which looks like a failure of ours. Another code is
    another's: of SIGTERM (see `search.termination`), or of submitit, which has queued the job again.
    """
    try:
        yield
    except SystemExit as leaving:
        if trainer.interrupted and leaving.code == 1:
            raise KeyboardInterrupt from None
        raise
