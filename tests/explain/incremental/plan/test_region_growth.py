"""Regions that are enlarged so that fewer maps are kept and copied."""

import torch
from torch import nn

from mds_lightning.explain.incremental.plan.window_plan import make_plan, read_network
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.windows import place_windows


def network(channels: int) -> nn.Module:
    """A cheap first convolution on a large map, as in all backbones, then pooling beyond what changes."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, channels, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(channels, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2),
    ).eval()  # fmt: skip


def kept_maps(net: nn.Module, side: int) -> set[int]:
    """Heights of the maps that crops are cut from."""
    with torch.no_grad():
        plan = make_plan(read_network(net, torch.zeros(1, 3, side, side)), place_windows(side, side, 24, 12))
    return {plan.program.shapes[source[0].producer][1] for source, _ in plan.kept_maps}


def test_the_map_of_a_cheap_first_convolution_is_not_kept():
    # 91 -> 45 -> 22 pixels, without a remainder.
    assert kept_maps(network(16), 91) == {91, 22}


def test_crops_beyond_the_border_are_cut_from_the_map():
    # 89 -> 44 -> 22: the last windows of the pooling extend beyond the border.
    assert kept_maps(network(16), 89) == {89, 44, 22}


def test_larger_regions_change_no_map():
    for side in (89, 91):
        field = torch.rand(1, 3, side, side)
        net = network(8)
        ours, full = (
            OcclusionEngine(net, fast=fast).maps(field, window=24, stride=12, baseline="zero", score="logit")
            for fast in (True, False)
        )
        torch.testing.assert_close(ours.drops[0], full.drops[0], atol=1e-6, rtol=0)
        assert full.drops[0].abs().max() > 1e-3
