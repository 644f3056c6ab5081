"""Operations that write into their input, which is harmful only if the input is read afterwards."""

import inspect
from collections.abc import Iterator

from torch import fx, nn

#: Functions of `operator` that write into a tensor.
_WRITING = {
    f"i{name}" for name in ("add", "sub", "mul", "truediv", "floordiv", "pow", "mod", "and", "or", "xor")
}
#: What may return its input, or a view of it, under another name.
_SHARING = {
    "view", "view_as", "reshape", "reshape_as", "transpose", "permute", "movedim", "swapaxes", "t", "flatten",
    "unflatten", "contiguous", "chunk", "split", "tensor_split", "narrow", "getitem", "select", "squeeze",
    "unsqueeze", "expand", "expand_as", "detach", "to", "float", "double", "type", "unbind", "getattr",
    "diagonal", "unfold", "dropout", "dropout2d", "stochastic_depth", "alpha_dropout", "feature_dropout",
}  # fmt: skip
_SHARING_MODULES = (nn.Identity, nn.Flatten, nn.Unflatten, nn.modules.dropout._DropoutNd)


def find_late_reads(network: nn.Module, graph: fx.Graph) -> list[fx.Node]:
    """Nodes that write into a map that is read again afterwards under its previous name.

    If such nodes were treated as pure functions, the later reader would get the old value.
    """
    order = {node: position for position, node in enumerate(graph.nodes)}
    group: dict[fx.Node, fx.Node] = {}

    def root(node: fx.Node) -> fx.Node:
        while group.get(node, node) is not node:
            node = group[node]
        return node

    for node in graph.nodes:
        if _may_share(network, node) or writes(network, node):
            for argument in node.all_input_nodes:
                group[root(node)] = root(argument)
    return [
        node
        for node in graph.nodes
        if writes(network, node) and any(_stale(reader, node, order, root) for reader in _after(node))
    ]


def writes(network: nn.Module, node: fx.Node) -> bool:
    """Whether a node may write into its first argument."""
    if node.op == "call_module":
        return bool(getattr(network.get_submodule(str(node.target)), "inplace", False))
    if node.op not in ("call_function", "call_method"):
        return False
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if node.op == "call_function" and name in (*_WRITING, "setitem"):
        return True
    return _has_inplace_argument(node) or (name.endswith("_") and not name.endswith("__"))


def _has_inplace_argument(node: fx.Node) -> bool:
    if node.kwargs.get("inplace") or node.kwargs.get("out") is not None:
        return True
    if not inspect.isfunction(node.target):
        return False
    try:
        return bool(inspect.signature(node.target).bind(*node.args, **node.kwargs).arguments.get("inplace"))
    except (TypeError, ValueError):
        return False


def _may_share(network: nn.Module, node: fx.Node) -> bool:
    if node.op == "call_module":
        module = network.get_submodule(str(node.target))
        is_known = type(module).__module__.startswith("torch.nn.modules.")
        return isinstance(module, _SHARING_MODULES) or not is_known
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return node.op in ("call_function", "call_method") and name in _SHARING


def _after(node: fx.Node) -> Iterator[fx.Node]:
    following = node.next
    while following.op != "root":
        yield following
        following = following.next


def _stale(reader: fx.Node, writer: fx.Node, order: dict[fx.Node, int], root: object) -> bool:
    assert callable(root)
    return any(
        order[argument] < order[writer] and root(argument) is root(writer)
        for argument in reader.all_input_nodes
    )
