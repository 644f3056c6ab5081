import pytest
import torch
from torch import nn

from mds_lightning.explain.faithfulness import measure_faithfulness
from mds_lightning.explain.occlusion import OcclusionEngine


class Spot(nn.Module):
    """Class 1 for light in one corner."""

    def forward(self, x):
        light = x[:, :, :8, :8].mean((1, 2, 3))
        return torch.stack([torch.zeros_like(light), 8 * light - 4], 1)


def test_a_map_that_names_the_spot_is_faithful_and_its_opposite_is_not():
    images = torch.ones(2, 3, 32, 32)
    engine = OcclusionEngine(Spot())
    importance = engine.maps(images, targets=1, window=8, stride=4, baseline="zero").importance[:, 0]
    good = measure_faithfulness(engine, images, importance, [1, 1], baseline="zero")
    bad = measure_faithfulness(engine, images, -importance, [1, 1], baseline="zero")
    for one, other in zip(good, bad, strict=True):
        assert one.deletion < 0.15 < one.random
        assert one.random < other.deletion
        assert other.insertion < one.random < one.insertion


def test_the_random_order_is_seeded():
    images = torch.rand(1, 3, 32, 32)
    engine = OcclusionEngine(Spot())
    runs = [measure_faithfulness(engine, images, images[:, 0], [1], seed=seed)[0] for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0].random != runs[2].random


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one map"):
        measure_faithfulness(OcclusionEngine(Spot()), torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4), [0])
