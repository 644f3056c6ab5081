"""A network as a sequence of local operations, and the rest of its graph, which runs on whole maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn

from mds_lightning.explain.incremental.program.channels import Indices
from mds_lightning.explain.incremental.program.operations import Operation, Source

#: Number of the network's input among the numbers of maps.
INPUT = 0


@dataclass(frozen=True, eq=False)
class GlobalMean:
    """A mean over whole maps: for each window only the sum over its changed region is recomputed.

    Attributes:
        source: The channels.
        order: For each channel of the result its position in `source`.
        keeps_axes: Whether the result is (n, C, 1, 1) rather than (n, C).
    """

    source: Source
    order: Indices
    keeps_axes: bool


@dataclass(frozen=True, eq=False)
class WholeMap:
    """A map that the tail reads as a whole; channels in the graph's order."""

    source: Source
    shape: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class MapShape:
    """A map of which only the shape is read."""

    shape: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Known:
    """A value that does not depend on the input."""

    value: Any


Boundary = GlobalMean | WholeMap | MapShape | Known


@dataclass(frozen=True, eq=False)
class Tail:
    """The nodes of the graph that run on whole maps.

    Attributes:
        network: Owner of the graph's modules.
        nodes: In order; the last one is the graph's output.
        boundaries: What these nodes read from the local operations.
    """

    network: nn.Module
    nodes: tuple[fx.Node, ...]
    boundaries: Mapping[fx.Node, Boundary]

    def run(self, given: Mapping[fx.Node, Any], batch: int) -> Tensor:
        """Compute the network's output.

        Args:
            given: Tensors for the boundaries that are means or maps, first axis `batch`.
            batch: Number of covered fields.
        """
        values = dict(given)
        for node, boundary in self.boundaries.items():
            if isinstance(boundary, Known):
                values[node] = boundary.value
            elif isinstance(boundary, MapShape):
                values[node] = _SizedLike(torch.Size((batch, *boundary.shape)))
        for node in self.nodes:
            values[node] = run_node(self.network, node, values)
        result: Tensor = values[self.nodes[-1]]
        return result


class _SizedLike:
    """Replaces a map of which only the shape is read."""

    def __init__(self, shape: torch.Size) -> None:
        self.shape = shape

    def size(self, axis: int | None = None) -> Any:
        return self.shape if axis is None else self.shape[axis]


@dataclass(frozen=True, eq=False)
class Program:
    """A network as local operations and a tail.

    Attributes:
        operations: The local operations in order.
        shapes: (channels, height, width) of the input (number 0) and of the operations' outputs.
        tail: The rest of the graph.
        dtype: Data type of the network and of the tail; operations may compute in a narrower one.
        notes: Why the local part ends where it does, one sentence for each place.
    """

    operations: Sequence[Operation]
    shapes: Mapping[int, tuple[int, int, int]]
    tail: Tail
    dtype: torch.dtype
    notes: tuple[str, ...] = field(default=())

    def boundary_sources(self) -> list[Source]:
        """Sources of the means and maps that the tail reads."""
        return [
            boundary.source
            for boundary in self.tail.boundaries.values()
            if isinstance(boundary, GlobalMean | WholeMap)
        ]


def run_node(network: nn.Module, node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:
    """Run one node of a graph on concrete values."""
    arguments, options = fx.node.map_arg((node.args, node.kwargs), lambda argument: values[argument])
    if node.op == "call_module":
        return network.get_submodule(str(node.target))(*arguments, **options)
    if node.op == "call_function":
        assert callable(node.target)
        return node.target(*arguments, **options)
    if node.op == "call_method":
        return getattr(arguments[0], str(node.target))(*arguments[1:], **options)
    if node.op == "get_attr":
        value: Any = network
        for name in str(node.target).split("."):
            value = getattr(value, name)
        return value
    assert node.op == "output", node.op
    return arguments[0]
