import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from mds_lightning.explain.adaptive import refine
from mds_lightning.explain.occlusion import OcclusionEngine


def bump(shape, center, width):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((y - center[0]) ** 2 + (x - center[1]) ** 2) / 2 / width**2)


def evaluator(truth):
    asked = np.zeros(truth.shape[1:], dtype=int)

    def evaluate(chosen):
        asked[chosen] += 1
        return np.where(chosen, truth, np.nan)

    return evaluate, asked


def test_windows_are_spent_where_the_score_drops():
    truth = bump((31, 41), (10, 12), 2.5)[None]
    evaluate, asked = evaluator(truth)
    drops, left_out = refine(evaluate, (31, 41), 0.1)
    assert asked.max() == 1
    assert asked.sum() < 0.45 * truth.size
    assert left_out.windows == truth.size - asked.sum()
    assert left_out.share == pytest.approx(left_out.windows / truth.size)
    assert left_out.bound <= 0.1
    assert abs(drops - truth).max() <= 0.1
    assert left_out.deviation <= 0.1
    computed = asked > 0
    np.testing.assert_array_equal(drops[0][computed], truth[0][computed])


def test_several_maps_share_their_windows():
    truth = np.stack([bump((21, 21), (4, 4), 1.5), -bump((21, 21), (16, 16), 1.5)])
    drops, left_out = refine(evaluator(truth)[0], (21, 21), 0.05)
    assert abs(drops - truth).max() <= 0.06
    assert left_out.windows > 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (6, 5)])
def test_without_tolerance_nothing_is_left_out(shape):
    truth = np.random.default_rng(0).normal(size=(2, *shape))
    drops, left_out = refine(evaluator(truth)[0], shape, 0.0)
    np.testing.assert_array_equal(drops, truth)
    assert left_out.windows == 0


def test_the_engine_labels_adaptive_maps_and_they_rank_windows_as_exact_ones():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 7, 2), nn.ReLU(), nn.Conv2d(8, 2, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    field = torch.full((1, 3, 96, 128), 0.2)
    field[..., 30:50, 60:80] = torch.rand(3, 20, 20) * 2
    engine = OcclusionEngine(network)
    options = {"window": 16, "stride": 4, "baseline": torch.full((3,), 0.2), "score": "logit", "targets": 1}
    exact = engine.maps(field, **options)
    found = engine.maps(field, **options, mode="adaptive", tolerance=0.05)
    assert exact.is_exact
    assert not found.is_exact
    assert found.left_out[0].share > 0.3
    error = (found.drops[0] - exact.drops[0]).abs().max() / exact.drops[0].abs().max()
    assert error < 0.05
    active = exact.drops[0].abs() > 0.05 * exact.drops[0].abs().max()
    assert spearmanr(found.drops[0][active], exact.drops[0][active]).statistic > 0.99


def test_an_unknown_mode_is_refused(tiny_network, fields):
    with pytest.raises(ValueError, match="exact or adaptive"):
        OcclusionEngine(tiny_network).maps(fields, mode="quick")
