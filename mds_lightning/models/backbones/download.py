"""What downloads of pretrained weights have in common: a time limit and an error that says what to do."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from mds_lightning.models.backbones.weights import WeightsError

# Seconds without an answer after which a server counts as unreachable; torch.hub itself sets no limit.
TIMEOUT = 15.0


@contextmanager
def time_limit() -> Iterator[None]:
    """Apply `TIMEOUT` to every socket that is opened in the block."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def unavailable(name: str, address: str, error: Exception, remedy: str) -> WeightsError:
    """The error for weights that are neither cached nor downloadable.

    Args:
        name: Name of the backbone.
        address: Where the weights are published.
        error: Why the download failed.
        remedy: How to fill the library's cache.
    """
    return WeightsError(
        f"no pretrained weights for {name}: {address} cannot be downloaded ({error}). "
        f"Give a file with backbone.weights=FILE, {remedy}, "
        "or start from random weights with backbone.pretrained=false"
    )
