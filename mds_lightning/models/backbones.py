"""The networks: the paper's sixteen as data, any other by its name in timm, and the factory of all of them.

All sixteen come from torchvision: the paper's names and ImageNet weights are torchvision's, and timm has
neither SqueezeNet nor ShuffleNetV2. Every other name is timm's, also one with a tag (`resnet18.a1_in1k`).
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from torch import nn

from mds_lightning.models.heads import add_dropout
from mds_lightning.models.hubs import fetch_timm, fetch_torchvision
from mds_lightning.models.weights import load_weights, read_weights

Triple = tuple[float, float, float]

_IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
_IMAGENET_STD: Triple = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Backbone:
    """What is known of a network before it is built.

    Attributes:
        name: The name in configurations and run directories.
        family: Networks that are built alike.
        library: Who builds it.
        source: Its name there.
        n_parameters: Published number with 1000 classes; None where nobody says.
        heads: Names of the modules that make up the head (more than one in distilled transformers).
        mean: Of a training image's channels R, G, B, scale 0..1; taken off the input.
        std: Their standard deviation; divides the input.
        input_size: (height, width) in pixels when the network takes no other, else None.
    """

    name: str
    family: str
    library: Literal["torchvision", "timm"]
    source: str
    n_parameters: int | None
    heads: tuple[str, ...]
    mean: Triple = _IMAGENET_MEAN
    std: Triple = _IMAGENET_STD
    input_size: tuple[int, int] | None = None


def _paper(name: str, family: str, n_parameters: int, head: str) -> Backbone:
    return Backbone(name, family, "torchvision", name, n_parameters, (head,))


BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        _paper("resnet18", "resnet", 11_689_512, "fc"),
        _paper("resnet34", "resnet", 21_797_672, "fc"),
        _paper("resnet50", "resnet", 25_557_032, "fc"),
        _paper("resnet101", "resnet", 44_549_160, "fc"),
        _paper("resnet152", "resnet", 60_192_808, "fc"),
        _paper("resnext50_32x4d", "resnet", 25_028_904, "fc"),
        _paper("resnext101_32x8d", "resnet", 88_791_336, "fc"),
        _paper("wide_resnet50_2", "resnet", 68_883_240, "fc"),
        _paper("wide_resnet101_2", "resnet", 126_886_696, "fc"),
        _paper("densenet121", "densenet", 7_978_856, "classifier"),
        _paper("densenet161", "densenet", 28_681_000, "classifier"),
        _paper("densenet169", "densenet", 14_149_480, "classifier"),
        _paper("densenet201", "densenet", 20_013_928, "classifier"),
        _paper("shufflenet_v2_x0_5", "shufflenet", 1_366_792, "fc"),
        _paper("shufflenet_v2_x1_0", "shufflenet", 2_278_604, "fc"),
        # Its head is dropout, 1x1 convolution, ReLU and pooling.
        _paper("squeezenet1_1", "squeezenet", 1_235_496, "classifier"),
    )
}


def find_backbone(name: str) -> Backbone:
    """One of the paper's sixteen, or any other network of timm.

    Raises:
        ValueError: Nobody knows the name; the message holds the nearest ones.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    import timm

    architecture = name.partition(".")[0]
    if architecture not in timm.list_models():
        known = {key.lower(): key for key in [*timm.list_models(), *BACKBONES]}
        near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(known[key] for key in near)}?" if near else "."
        raise ValueError(
            f"backbone.name={name} is unknown{hint} "
            f"The paper's are {', '.join(BACKBONES)}; any other of timm.list_models() works too"
        )
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        tagged = ", ".join(timm.list_pretrained(f"{architecture}.*")) or "none"
        raise ValueError(f"backbone.name={name}: timm has no weights of that name, but {tagged}") from error
    assert config is not None
    if config.classifier is None:
        raise ValueError(f"backbone.name={name} has no classifier to replace: choose another network")
    return Backbone(
        name=name,
        family=architecture,
        library="timm",
        source=name,
        n_parameters=None,
        heads=(config.classifier,) if isinstance(config.classifier, str) else tuple(config.classifier),
        mean=cast(Triple, config.mean),
        std=cast(Triple, config.std),
        input_size=config.input_size[1:] if config.fixed_input_size else None,
    )


def create_network(backbone: Backbone, num_classes: int, dropout: float = 0.0) -> nn.Module:
    """A network with random weights, drawn from torch's global generator (on the default device).

    Args:
        backbone: Which one.
        num_classes: Length of its logits.
        dropout: Share of the features dropped before the head while training, 0 <= dropout < 1. It replaces
            what the library has by default (one half in SqueezeNet, none elsewhere among the sixteen).
    """
    if num_classes < 1:
        raise ValueError(f"num_classes is {num_classes}: give 1 or more")
    if not 0 <= dropout < 1:
        raise ValueError(f"classifier.dropout is {dropout}: give a share from 0 to below 1")
    if backbone.library == "timm":
        import timm

        try:
            return timm.create_model(backbone.source, num_classes=num_classes, drop_rate=dropout)
        except TypeError as error:
            raise ValueError(
                f"backbone.name={backbone.name} is no classifier with dropout: {error}"
            ) from error
    from torchvision.models import get_model

    if backbone.family == "squeezenet":
        return get_model(backbone.source, weights=None, num_classes=num_classes, dropout=dropout)
    network: nn.Module = get_model(backbone.source, weights=None, num_classes=num_classes)
    if dropout:
        add_dropout(network, backbone.heads[0], dropout)
    return network


def start_from(network: nn.Module, backbone: Backbone, pretrained: bool, weights: str | Path | None) -> None:
    """Load the weights that training starts from into a network of `create_network`, in place.

    Args:
        network: Keeps its random weights when neither of the following is given.
        backbone: What `network` was made from.
        pretrained: Take the published ImageNet weights, from the cache or the hub of their library.
        weights: Take this file instead (`.safetensors`, `.pth`, `.pt`), whatever `pretrained` says.

    Raises:
        WeightsError: They cannot be had or do not fit; random weights are never used in their place.
    """
    if weights is not None:
        load_weights(network, read_weights(Path(weights)), backbone.heads, str(weights))
    elif pretrained:
        fetch = fetch_timm if backbone.library == "timm" else fetch_torchvision
        origin = f"{backbone.library}'s {backbone.source}"
        load_weights(network, fetch(backbone.source), backbone.heads, origin)


def build_backbone(
    name: str,
    num_classes: int,
    pretrained: bool = False,
    weights: str | Path | None = None,
    dropout: float = 0.0,
) -> nn.Module:
    """A network that turns normalised images, float (n, 3, H, W), into logits (n, num_classes).

    Args:
        name: One of `BACKBONES`, or any name of timm.
        num_classes: Length of the logits; the head is made for it.
        pretrained: Start from the published ImageNet weights.
        weights: Start from this file instead.
        dropout: Share of the features dropped before the head while training.

    Raises:
        ValueError: The name is unknown (the message has near ones) or a number out of range.
        WeightsError: The weights cannot be had or do not fit; a ValueError too.
    """
    backbone = find_backbone(name)
    network = create_network(backbone, num_classes, dropout)
    start_from(network, backbone, pretrained, weights)
    return network
