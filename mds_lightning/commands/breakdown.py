"""Breakdowns of a running training that are nobody's bug, said so that a user can mend them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mds_lightning.data.decode import ImageError


class BreakdownError(ValueError):
    """Training broke off for want of memory, or a worker was killed; the message says how to go on."""


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
        raise BreakdownError(
            f"a process that loads images was killed, most likely for want of memory ({error}): lower "
            "data.num_workers; the command then goes on from the last finished epoch"
        ) from error
