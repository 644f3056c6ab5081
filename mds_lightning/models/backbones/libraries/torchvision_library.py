"""The sixteen networks of the paper, from torchvision.

torchvision has the paper's names and ImageNet weights; timm has neither SqueezeNet nor ShuffleNetV2.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from mds_lightning.models.backbones.download import time_limit, unavailable
from mds_lightning.models.backbones.heads import add_dropout
from mds_lightning.models.backbones.library import Backbone, BackboneLibrary
from mds_lightning.models.backbones.weights import WeightsError, read_weights

logger = logging.getLogger(__name__)

# Name, name of the head's module, published number of parameters.
_PAPER = (
    ("resnet18", "fc", 11_689_512),
    ("resnet34", "fc", 21_797_672),
    ("resnet50", "fc", 25_557_032),
    ("resnet101", "fc", 44_549_160),
    ("resnet152", "fc", 60_192_808),
    ("resnext50_32x4d", "fc", 25_028_904),
    ("resnext101_32x8d", "fc", 88_791_336),
    ("wide_resnet50_2", "fc", 68_883_240),
    ("wide_resnet101_2", "fc", 126_886_696),
    ("densenet121", "classifier", 7_978_856),
    ("densenet161", "classifier", 28_681_000),
    ("densenet169", "classifier", 14_149_480),
    ("densenet201", "classifier", 20_013_928),
    ("shufflenet_v2_x0_5", "fc", 1_366_792),
    ("shufflenet_v2_x1_0", "fc", 2_278_604),
    # Its head is dropout, 1x1 convolution, ReLU and pooling.
    ("squeezenet1_1", "classifier", 1_235_496),
)


class TorchvisionLibrary:
    """See `BackboneLibrary`."""

    name = "torchvision"
    backbones = {name: Backbone(name, "torchvision", (head,), n) for name, head, n in _PAPER}  # noqa: RUF012

    def list_names(self) -> Sequence[str]:
        """The sixteen of the paper."""
        return list(self.backbones)

    def find(self, name: str) -> Backbone | None:
        """One of the sixteen."""
        return self.backbones.get(name)

    def create(self, backbone: Backbone, num_classes: int, dropout: float) -> nn.Module:
        """The network; `dropout` replaces torchvision's default (0.5 in SqueezeNet, none in the others)."""
        from torchvision.models import get_model

        if backbone.name.startswith("squeezenet"):
            return get_model(backbone.name, weights=None, num_classes=num_classes, dropout=dropout)
        network: nn.Module = get_model(backbone.name, weights=None, num_classes=num_classes)
        if dropout:
            add_dropout(network, backbone.heads[0], dropout)
        return network

    def fetch_weights(self, backbone: Backbone) -> dict[str, Tensor]:
        """The ImageNet weights `IMAGENET1K_V1`, which the paper uses, from torch.hub's cache or server."""
        from torchvision.models import get_model_weights

        url: str = get_model_weights(backbone.name)["IMAGENET1K_V1"].url
        path = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
        if not path.is_file():
            logger.info("downloading %s to %s", url, path)
            digest = re.search(r"-([a-f0-9]{8,})\.", path.name)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with time_limit():
                    torch.hub.download_url_to_file(url, str(path), digest and digest[1], progress=False)
            except (OSError, RuntimeError) as error:
                raise unavailable(backbone.name, url, error, f"put {path.name} into {path.parent}") from error
        try:
            return read_weights(path)
        except WeightsError as error:
            raise WeightsError(f"{error}\nDelete the cached file to download it again") from error


LIBRARY: BackboneLibrary = TorchvisionLibrary()
