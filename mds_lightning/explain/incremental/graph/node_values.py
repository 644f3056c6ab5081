"""Values of the nodes of a graph while it is lowered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mds_lightning.explain.incremental.program.channels import Channels, Indices


@dataclass(frozen=True, eq=False)
class Spatial:
    """A map of shape (n, channels, height, width) every pixel of which depends on a neighbourhood only."""

    channels: Channels
    size: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return len(self.channels), *self.size


@dataclass(frozen=True, eq=False)
class Grouped:
    """A map whose channels are arranged in a table: (n, rows, columns, height, width)."""

    spatial: Spatial
    table: Indices


@dataclass(frozen=True, eq=False)
class Mean:
    """A map's mean over height and width."""

    spatial: Spatial
    keeps_axes: bool


@dataclass(frozen=True, eq=False)
class Call:
    """A node with the values of its arguments.

    Attributes:
        name: Of the node, for messages.
        target: Function, name of a method, or module.
        arguments: `Spatial`, `Grouped`, constants and plain values.
        options: Likewise, by keyword.
        result: A fake tensor of the result's shape with a batch of `BATCH`, for rules that need it.
    """

    name: str
    target: Any
    arguments: Sequence[Any]
    options: dict[str, Any]
    result: Any

    @property
    def subject(self) -> Any:
        """The first argument."""
        return self.arguments[0] if self.arguments else None

    def given(self, *names: str, **defaults: Any) -> dict[str, Any]:
        """Options after the first argument, by name; of a module its attributes; None where none is given."""
        if isinstance(self.target, nn.Module):
            return {name: getattr(self.target, name, defaults.get(name)) for name in names}
        found = dict(zip(names, self.arguments[1:], strict=False)) | self.options
        return {name: found.get(name, defaults.get(name)) for name in names}


#: Batch size that a graph is lowered with: neither 1, which broadcasts, nor a size that maps often have.
BATCH = 3


def is_plain(value: Any) -> bool:
    """Whether a value is a number, a name, a dtype or nothing, or a sequence of such."""
    if isinstance(value, tuple | list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, int | float | str | torch.dtype | torch.memory_format | slice)


def is_constant(value: Any) -> bool:
    """Whether a value is a tensor or parameter that the graph owns."""
    return isinstance(value, Tensor | nn.Parameter)


def pair(value: Any) -> tuple[int, int]:
    """A size as torch takes it, for both axes."""
    if isinstance(value, int):
        return value, value
    sizes = tuple(int(size) for size in value)
    return (sizes[0], sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])
