"""Lowers a graph to a program: nodes known to be local become operations, the others stay nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from mds_lightning.explain.incremental.graph.capture import CaptureError, has_hooks
from mds_lightning.explain.incremental.graph.in_place import writes
from mds_lightning.explain.incremental.graph.locality_rules import find_rule, needs_result
from mds_lightning.explain.incremental.graph.node_values import BATCH, Call, Grouped, Mean, Spatial, is_plain
from mds_lightning.explain.incremental.graph.program_builder import Builder
from mds_lightning.explain.incremental.program.program import (
    Boundary,
    GlobalMean,
    Known,
    MapShape,
    Program,
    Tail,
    WholeMap,
    run_node,
)

#: Attributes and methods that read a map's shape and nothing else.
_SHAPE_READERS = ("size", "shape")


class _Opaque:
    """Value of a node that runs on whole maps."""


@dataclass(frozen=True)
class _ShapeOf:
    """Value that is read from a map's shape: fixed, or dependent on the batch size."""

    is_fixed: bool


_OPAQUE = _Opaque()


def lower(network: nn.Module, graph: fx.Graph, inputs: Tensor) -> Program:
    """Lower a graph to a program.

    Args:
        network: Owner of the graph's modules, in evaluation mode.
        graph: From `capture`.
        inputs: Fields as the network takes them, shape (n, C, H, W); only their shape and data type are used.

    Raises:
        CaptureError: The graph does not run with a batch of this size.
    """
    return _Lowering(network, graph, inputs).program()


class _Lowering:
    def __init__(self, network: nn.Module, graph: fx.Graph, inputs: Tensor) -> None:
        self.network = network
        self.graph = graph
        self.dtype = inputs.dtype
        channels, height, width = inputs.shape[1:]
        self.builder = Builder((channels, height, width), inputs.dtype)
        self.values: dict[fx.Node, Any] = {}
        self.results: dict[fx.Node, Any] = {}
        self.notes: list[str] = []
        with FakeTensorMode(allow_non_fake_inputs=True):
            example = torch.empty((BATCH, *inputs.shape[1:]), dtype=inputs.dtype, device=inputs.device)
            for node in graph.nodes:
                try:
                    self._visit(node, example)
                except CaptureError:
                    raise
                except Exception as error:
                    reason = next(iter(str(error).splitlines()), type(error).__name__)
                    raise CaptureError(
                        f"{node.name} does not run on a batch of fake tensors ({reason})"
                    ) from error

    def program(self) -> Program:
        """The program of the visited nodes."""
        output = next(node for node in reversed(self.graph.nodes) if node.op == "output")
        needed, boundaries = self._find_tail(output)
        tail = Tail(self.network, tuple(node for node in self.graph.nodes if node in needed), boundaries)
        read = {note.split(":")[0] for note in self.notes} & {node.name for node in needed}
        notes = tuple(note for note in self.notes if note.split(":")[0] in read)
        return Program(self.builder.operations, self.builder.shapes, tail, self.dtype, notes)

    def _visit(self, node: fx.Node, example: Tensor) -> None:
        if node.op == "placeholder":
            self.values[node], self.results[node] = self.builder.input, example
            return
        constants = [
            argument for argument in node.all_input_nodes if isinstance(self.values[argument], Known)
        ]
        if node.op == "get_attr" or (node.op != "output" and len(constants) == len(node.all_input_nodes) > 0):
            # What does not depend on the input is computed once.
            if writes(self.network, node):
                raise CaptureError(f"{node.name} changes what does not depend on the input")
            with torch._subclasses.fake_tensor.unset_fake_temporarily():
                value = run_node(self.network, node, {key: self.values[key].value for key in constants})
            self.values[node], self.results[node] = Known(value), value
            return
        meaning = None if node.op == "output" else self._shape_reading(node) or self._apply_rule(node)
        if node not in self.results:
            self.results[node] = run_node(self.network, node, self.results)
        if isinstance(meaning, _ShapeOf):
            meaning = Known(self.results[node]) if meaning.is_fixed else _OPAQUE
        self._check(node, meaning)
        self.values[node] = meaning

    def _shape_reading(self, node: fx.Node) -> Any:
        name = node.args[1] if node.target is getattr and len(node.args) > 1 else node.target
        subject = self.values.get(node.args[0]) if node.args and isinstance(node.args[0], fx.Node) else None
        if not isinstance(subject, Spatial) or (node.op == "call_module"):
            return None
        if name in ("dim", "ndim", "dtype", "device"):
            return _ShapeOf(is_fixed=True)
        return _ShapeOf(is_fixed=False) if name in _SHAPE_READERS else None

    def _apply_rule(self, node: fx.Node) -> Any:
        clear = True

        def stands_for(argument: fx.Node) -> Any:
            nonlocal clear
            meaning, result = self.values[argument], self.results[argument]
            if isinstance(meaning, Known):
                return meaning.value
            if isinstance(meaning, Spatial | Grouped | tuple):
                return meaning
            # Sizes are plain numbers; rules read the shape of the result for those that depend on the batch.
            clear = clear and is_plain(result)
            return result if is_plain(result) else None

        arguments, options = fx.node.map_arg((node.args, node.kwargs), stands_for)
        target = self.network.get_submodule(node.target) if node.op == "call_module" else node.target  # type: ignore[arg-type]
        subject = arguments[0] if arguments else None
        touches = isinstance(subject, Spatial | Grouped | tuple | list)
        touches = touches or any(isinstance(argument, Spatial) for argument in arguments)
        if not (clear and touches):
            if touches:
                self.notes.append(f"{node.name}: joins a map with what is not local")
            return _OPAQUE
        rule = None if isinstance(target, nn.Module) and has_hooks(target) else find_rule(target)
        if rule is None or needs_result(rule):
            self.results[node] = run_node(self.network, node, self.results)
        call = Call(node.name, target, arguments, options, self.results.get(node))
        with torch._subclasses.fake_tensor.unset_fake_temporarily():
            meaning = rule(self.builder, call) if rule else None
        if node not in self.results and meaning is not None:
            self.results[node] = self._stand_in(meaning)
        if meaning is None:
            kind = target if isinstance(target, str) else getattr(target, "__name__", type(target).__name__)
            if isinstance(subject, Spatial) or any(isinstance(argument, Spatial) for argument in arguments):
                self.notes.append(f"{node.name}: {kind} is not known to be local")
            return _OPAQUE
        return meaning

    def _stand_in(self, meaning: Spatial | Grouped | Mean) -> Tensor:
        """A fake result for later nodes, where the rule gives its shape."""
        example = self.results[next(iter(self.graph.nodes))]
        if isinstance(meaning, Mean):
            count = len(meaning.spatial.channels)
            return example.new_empty((BATCH, count, 1, 1) if meaning.keeps_axes else (BATCH, count))
        if isinstance(meaning, Grouped):
            return example.new_empty((BATCH, *meaning.table.shape, *meaning.spatial.size))
        return example.new_empty((BATCH, *meaning.shape))

    def _check(self, node: fx.Node, meaning: Any) -> None:
        """Refuse a rule that is wrong about a shape or a data type: a slow map is better than a wrong one."""
        result = self.results[node]
        if isinstance(meaning, Spatial):
            expected: tuple[int, ...] = (BATCH, *meaning.shape)
        elif isinstance(meaning, Mean):
            count = len(meaning.spatial.channels)
            expected = (BATCH, count, 1, 1) if meaning.keeps_axes else (BATCH, count)
        else:
            return
        if (
            tuple(result.shape) != expected
            or result.dtype != self.results[next(iter(self.graph.nodes))].dtype
        ):
            raise CaptureError(
                f"{node.name} has shape {tuple(result.shape)} and {result.dtype}: another one was expected"
            )

    def _find_tail(self, output: fx.Node) -> tuple[set[fx.Node], Mapping[fx.Node, Boundary]]:
        needed, queue = {output}, [output]
        ends: list[fx.Node] = []
        while queue:
            for argument in queue.pop().all_input_nodes:
                meaning = self.values[argument]
                if argument in needed or argument in ends:
                    continue
                if meaning is _OPAQUE or isinstance(meaning, Grouped | tuple):
                    # A table of channels, or a tuple, is recomputed from its map.
                    needed.add(argument)
                    queue.append(argument)
                else:
                    ends.append(argument)
        boundaries: dict[fx.Node, Boundary] = {}
        for node in ends:
            meaning = self.values[node]
            readers = [user for user in node.users if user in needed]
            # A map of which the tail reads only the shape is not computed.
            only_shape = isinstance(meaning, Spatial) and all(map(self._reads_shape, readers))
            boundaries[node] = MapShape(meaning.shape) if only_shape else self._boundary(meaning)
        return needed, boundaries

    def _reads_shape(self, node: fx.Node) -> bool:
        name = node.args[1] if node.target is getattr and len(node.args) > 1 else node.target
        return node.op != "call_module" and name in _SHAPE_READERS

    def _boundary(self, meaning: Any) -> Boundary:
        if isinstance(meaning, Known):
            return meaning
        if isinstance(meaning, Mean):
            channels = meaning.spatial.channels
            order = channels.arrange()
            return GlobalMean(channels.take(order).segments(), np.argsort(order), meaning.keeps_axes)
        assert isinstance(meaning, Spatial), meaning
        return WholeMap(meaning.channels.segments(), meaning.shape)
