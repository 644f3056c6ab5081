"""Small classifiers and what the tests compare of them."""

from collections.abc import Callable, Sequence
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mds_lightning.models.backbones.heads import feature_parameters
from mds_lightning.models.classifier import SmearClassifier

Loader = Callable[[Sequence[int]], DataLoader[dict[str, Tensor]]]
MakeTrainer = Callable[..., lightning.Trainer]

TINY = "shufflenet_v2_x0_5"
CLASSES = ["donor", "MDS"]
TRAIN, VAL = [0, 1] * 6, [0, 1, 1, 0, 1]


def make(
    backbone: str = TINY, classes: Sequence[str] = CLASSES, seed: int = 0, **values: Any
) -> SmearClassifier:
    torch.manual_seed(seed)
    return SmearClassifier(backbone, classes, **values)


def features_of(model: SmearClassifier) -> dict[str, Tensor]:
    return {
        key: value.detach().clone() for key, value in feature_parameters(model.network, model.backbone.heads)
    }


def statistics_of(model: SmearClassifier) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in model.network.named_buffers() if "running" in key}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[key], second[key]) for key in first)
