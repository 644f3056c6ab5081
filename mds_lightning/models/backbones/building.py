"""Builds a backbone with random, pretrained or given weights."""

from pathlib import Path

from torch import nn

from mds_lightning.models.backbones.library import Backbone
from mds_lightning.models.backbones.library_registry import LIBRARIES, find_backbone
from mds_lightning.models.backbones.weights import load_weights, read_weights


def create_network(backbone: Backbone, num_classes: int, dropout: float = 0.0) -> nn.Module:
    """Build a network with random weights, drawn from torch's global generator (on the default device).

    Args:
        backbone: A result of `find_backbone`.
        num_classes: Number of logits.
        dropout: Fraction of the features dropped before the head in training, 0 <= dropout < 1. It replaces
            the library's default.

    Raises:
        ValueError: `num_classes` or `dropout` is out of range, or the network does not support dropout.
    """
    if num_classes < 1:
        raise ValueError(f"num_classes is {num_classes}: give 1 or more")
    if not 0 <= dropout < 1:
        raise ValueError(f"classifier.dropout is {dropout}: give a fraction from 0 to below 1")
    return LIBRARIES[backbone.library].create(backbone, num_classes, dropout)


def load_initial_weights(
    network: nn.Module, backbone: Backbone, pretrained: bool, weights: str | Path | None
) -> None:
    """Load the weights that training starts from, in place.

    Args:
        network: A result of `create_network`; keeps its random weights if neither of the following is given.
        backbone: The backbone that `network` was created from.
        pretrained: Load the published ImageNet weights, from the cache or the server of the library.
        weights: Load this file instead (`.safetensors`, `.pth`, `.pt`), whatever `pretrained` says.

    Raises:
        WeightsError: The weights are not available or do not fit; random weights never replace them.
    """
    if weights is not None:
        load_weights(network, read_weights(Path(weights)), backbone.heads, str(weights))
    elif pretrained:
        state = LIBRARIES[backbone.library].fetch_weights(backbone)
        load_weights(network, state, backbone.heads, f"{backbone.library}'s {backbone.name}")


def build_backbone(
    name: str,
    num_classes: int,
    pretrained: bool = False,
    weights: str | Path | None = None,
    dropout: float = 0.0,
) -> nn.Module:
    """Build a network that maps normalised images, float (n, 3, H, W), to logits (n, num_classes).

    Args:
        name: One of `BACKBONES`, or any classifier of timm.
        num_classes: Number of logits; the head is created for it.
        pretrained: Start from the published ImageNet weights.
        weights: Start from this file instead (`.safetensors`, `.pth`, `.pt`).
        dropout: Fraction of the features dropped before the head in training, 0 <= dropout < 1.

    Raises:
        ValueError: The name is unknown (the message names similar ones) or a number is out of range.
        WeightsError: The weights are not available or do not fit; a subclass of ValueError.
    """
    backbone = find_backbone(name)
    network = create_network(backbone, num_classes, dropout)
    load_initial_weights(network, backbone, pretrained, weights)
    return network
