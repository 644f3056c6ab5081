import pytest
import torch
from torch import nn

from mds_lightning.models.backbones.heads import DropoutLinear


def test_dropout_scales_the_remaining_features() -> None:
    linear = nn.Linear(1000, 1, bias=False)
    nn.init.ones_(linear.weight)
    layer = DropoutLinear(linear, 0.25)
    torch.manual_seed(0)
    assert float(layer(torch.ones(1, 1000)).detach()) == pytest.approx(1000, rel=0.05)
    assert "dropout=0.25" in repr(layer)
