"""Tracing of a network to a graph."""

from torch import Tensor, fx, nn

from mds_lightning.explain.incremental.graph.in_place import find_late_reads


class CaptureError(Exception):
    """The network has no graph that can be lowered; `explain_plan` shows the message."""


class _Root(nn.Module):
    """Calls the network with one argument, so that optional arguments have their default values."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        result: Tensor = self.network(images)
        return result


class _Tracer(fx.Tracer):
    """Keeps a module with hooks as one node, since tracing into it would skip the hooks."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return has_hooks(m) or super().is_leaf_module(m, module_qualified_name)


def capture(network: nn.Module) -> tuple[nn.Module, fx.Graph]:
    """Trace a network in evaluation mode.

    Returns:
        The module that owns the nodes' targets, and the graph: one placeholder, one output.

    Raises:
        CaptureError: Its control flow depends on values, or tracing fails otherwise.
    """
    root = _Root(network)
    try:
        graph = _Tracer().trace(root)
    except Exception as error:
        # A forward method may raise anything when it is called with a proxy instead of a tensor.
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CaptureError(f"the network cannot be traced ({reason})") from error
    late = find_late_reads(root, graph)
    if late:
        raise CaptureError(f"{late[0].name} changes a map in place that is read again later")
    return root, graph


def has_hooks(module: nn.Module) -> bool:
    """Whether calling the module does more than its `forward`."""
    return bool(module._forward_hooks or module._forward_pre_hooks)
