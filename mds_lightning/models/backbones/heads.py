"""The head of a backbone: its dropout, and which parameters belong to it."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class DropoutLinear(nn.Linear):
    """A linear layer with dropout of its input in training; its state dict has the keys of `nn.Linear`."""

    def __init__(self, linear: nn.Linear, dropout: float) -> None:
        """Use the parameters of `linear`, and drop the fraction `dropout` of its input in training."""
        super().__init__(linear.in_features, linear.out_features, linear.bias is not None, device="meta")
        self.weight, self.bias = linear.weight, linear.bias
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, in_features) to logits (n, out_features)."""
        return super().forward(functional.dropout(features, self.dropout, self.training))

    def extra_repr(self) -> str:
        """The options that `print(network)` shows."""
        return f"{super().extra_repr()}, dropout={self.dropout}"


def add_dropout(network: nn.Module, head: str, dropout: float) -> None:
    """Add dropout before the linear layer `head` of `network`, in place; its weights do not change."""
    linear = network.get_submodule(head)
    assert isinstance(linear, nn.Linear), f"{head} is a {type(linear).__name__}, not a linear layer"
    network.set_submodule(head, DropoutLinear(linear, dropout))


def is_head(key: str, heads: Sequence[str]) -> bool:
    """Whether the parameter or buffer `key` belongs to one of the modules `heads`."""
    return key.startswith(tuple(f"{head}." for head in heads))


def feature_parameters(network: nn.Module, heads: Sequence[str]) -> Iterator[tuple[str, nn.Parameter]]:
    """Names and parameters before the head, in the network's order."""
    return ((name, value) for name, value in network.named_parameters() if not is_head(name, heads))


def head_parameters(network: nn.Module, heads: Sequence[str]) -> Iterator[tuple[str, nn.Parameter]]:
    """Names and parameters of the head, in the network's order."""
    return ((name, value) for name, value in network.named_parameters() if is_head(name, heads))


def freeze_statistics(network: nn.Module, heads: Sequence[str]) -> None:
    """Keep the running statistics of batch norm before the head fixed until the next `network.train()`."""
    for name, module in network.named_modules():
        if isinstance(getattr(module, "running_mean", None), torch.Tensor) and not is_head(f"{name}.", heads):
            module.eval()
