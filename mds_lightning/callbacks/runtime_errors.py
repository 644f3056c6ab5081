"""Turns out-of-memory errors and killed workers into advice."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import lightning
import torch

from mds_lightning.data.decode import ImageError

#: How torch begins its message.
_SINGLE_VALUE = "Expected more than 1 value per channel when training"

log = logging.getLogger(__name__)

T = TypeVar("T")


class ResourceError(ValueError):
    """Training stopped because memory ran out or a worker was killed; the message says how to continue."""


class WorkerKilledError(ResourceError):
    """A process that loads images was killed."""


def refuse_missing_gpu(accelerator: str | None, remedy: str) -> None:
    """Raise if a GPU is asked for and there is none.

    Args:
        accelerator: `trainer.accelerator`.
        remedy: The override that uses the CPU instead.

    Raises:
        ResourceError: Torch finds neither a CUDA nor an MPS device.
    """
    wanted = accelerator in ("gpu", "cuda", "mps")
    if wanted and not (torch.cuda.is_available() or torch.backends.mps.is_available()):
        raise ResourceError(
            f"torch finds no GPU on this machine (accelerator: {accelerator}): set {remedy}, or check "
            "nvidia-smi and that torch was installed for this driver"
        )


@contextmanager
def explain_runtime_errors(batch_size: int, size: tuple[int, int]) -> Iterator[None]:
    """Turn errors of torch about memory and workers into a message that names the keys to change.

    Args:
        batch_size: `data.batch_size`.
        size: (height, width) of the network's input, pixels.

    Raises:
        ResourceError: Memory ran out, or a worker was killed.
        ValueError: Batches are too small for batch normalisation.
        ImageError: An image cannot be decoded; without the traceback of the worker that read it.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ResourceError(
            f"the GPU has not enough memory for data.batch_size={batch_size} images of {size[0]} x {size[1]} "
            f"pixels ({str(error).splitlines()[0]}): lower data.batch_size (say, to "
            f"{max(1, batch_size // 2)}) or data.image_size, and give the study another name (study=NAME), "
            "as both change the model"
        ) from error
    except ImageError as error:
        raise ImageError(str(error)) from error
    except ValueError as error:
        if not str(error).startswith(_SINGLE_VALUE):
            raise
        raise ValueError(
            f"batch normalisation needs several values of each channel, and data.batch_size={batch_size} "
            f"images of {size[0]} x {size[1]} pixels leave one: set data.batch_size=8, or "
            "increase data.image_size"
        ) from error
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise WorkerKilledError(
            f"a process that loads images was killed, most likely because memory ran out ({error}): lower "
            "data.num_workers; the same command then continues after the last finished epoch "
            "(data.max_worker_deaths=3 does so automatically)"
        ) from error


def retry_killed_workers(work: Callable[[], T], most: int) -> T:
    """Return `work()`, calling it again if a process that loads images was killed.

    Args:
        work: Continues from the files that its last call wrote, with the same result as without interruption.
        most: Number of calls that may end so; the next error is raised.

    Raises:
        WorkerKilledError: More than `most` calls lost a worker.
    """
    for death in range(1, most + 1):
        try:
            return work()
        except WorkerKilledError as error:
            log.warning("%s; continuing (%d of data.max_worker_deaths=%d)", error, death, most)
        # Otherwise the remaining workers of the failed trainer would keep their memory.
        gc.collect()
    return work()


@contextmanager
def raise_interrupts(trainer: lightning.Trainer) -> Iterator[None]:
    """Raise KeyboardInterrupt for Ctrl-C while `trainer` works.

    Lightning ends the process with exit code 1 instead, which looks like a bug. Other codes are kept: that of
    SIGTERM (see `search.termination`), and that of submitit, which has queued the job again.
    """
    try:
        yield
    except SystemExit as leaving:
        if trainer.interrupted and leaving.code == 1:
            raise KeyboardInterrupt from None
        raise
