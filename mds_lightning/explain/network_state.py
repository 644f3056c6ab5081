"""Whether a network is still the one that something was computed from."""

from torch import nn


def describe_state(network: nn.Module) -> object:
    """Return a value that differs once the network has been trained, loaded, converted or rebuilt."""
    tensors = [*network.parameters(), *network.buffers()]
    return (
        [id(module) for module in network.modules()],
        [
            (tensor.data_ptr(), tensor._version, tensor.dtype)
            for tensor in tensors
            if not tensor.is_inference()
        ],
    )
