import numpy as np
import pytest
import torch
from torch import nn

from mds_lightning.explain.faithfulness import measure_faithfulness
from mds_lightning.explain.faithfulness_curves import area_under
from mds_lightning.explain.occlusion import OcclusionEngine


class Spot(nn.Module):
    """Class 1 for light in one corner."""

    def forward(self, x):
        light = x[:, :, :8, :8].mean((1, 2, 3))
        return torch.stack([torch.zeros_like(light), 8 * light - 4], 1)


def measure(importance, **options):
    engine = OcclusionEngine(Spot())
    return measure_faithfulness(engine, torch.ones(3, 32, 32), importance, 1, baseline="zero", **options)


def test_a_map_that_ranks_the_spot_first_is_faithful_and_its_opposite_is_not():
    image = torch.ones(1, 3, 32, 32)
    maps = OcclusionEngine(Spot()).maps(image, targets=1, window=8, stride=4, baseline="zero")
    good, bad = measure(maps.importance[0, 0]), measure(-maps.importance[0, 0])
    random = area_under(good.random)
    assert area_under(good.deletion) < 0.15 < random < area_under(bad.deletion)
    assert area_under(bad.insertion) < random < area_under(good.insertion)


def test_curves_go_from_the_image_to_the_covered_image_and_back():
    curves = measure(torch.rand(32, 32), steps=7)
    with torch.no_grad():
        whole, covered = (Spot()(torch.full((1, 3, 32, 32), v)).softmax(1)[0, 1] for v in (1.0, 0.0))
    assert curves.deletion.shape == curves.insertion.shape == curves.random.shape == (8,)
    ends = [float(whole), float(covered)]
    assert curves.deletion[[0, -1]].tolist() == pytest.approx(ends)
    assert curves.random[[0, -1]].tolist() == pytest.approx(ends)
    assert curves.insertion[[0, -1]].tolist() == pytest.approx(ends[::-1])


def test_each_step_changes_the_same_number_of_pixels():
    class Mean(nn.Module):
        def forward(self, x):
            return torch.stack([x.mean((1, 2, 3)), -x.mean((1, 2, 3))], 1)

    engine = OcclusionEngine(Mean())
    image = torch.ones(3, 20, 20)
    curves = measure_faithfulness(engine, image, torch.rand(20, 20), 0, baseline="zero", score="logit")
    for curve in (curves.deletion, curves.random, curves.insertion[::-1]):
        np.testing.assert_allclose(curve, np.linspace(1, 0, 11), atol=1e-6)
    assert area_under(curves.deletion) == pytest.approx(0.5)


def test_the_random_order_is_seeded():
    runs = [measure(torch.rand(32, 32), seed=seed) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0].random, runs[1].random)
    assert (runs[0].random != runs[2].random).any()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one map"):
        measure(torch.rand(4, 4))
