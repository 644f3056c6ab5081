import logging

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mds_lightning.explain import passes
from mds_lightning.explain.incremental.plan import extents
from mds_lightning.explain.incremental.run.kernels import has_packed_kernels
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.windows import place_windows


class SqueezeExcite(nn.Module):
    """Local layers, a gate computed from the whole map, then a local layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, 2, 1)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
        self.last = nn.Conv2d(8, 4, 3, 1, 1)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = F.silu(self.first(x))
        x = x * self.gate(x)
        return self.head(self.last(x).relu().mean((2, 3))) * 10


class Attention(nn.Module):
    """Patches, tokens and attention, as in a vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        self.position = nn.Parameter(torch.randn(1, 12, 16))
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        n = x.shape[0]
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.layer(tokens + self.position).view(n, 12, 16).mean(1)) * 5


class ControlFlow(nn.Module):
    """Control flow that depends on values, which cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 5)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        convolve = self.one if x[0].mean() > 0 else self.other
        return self.head(convolve(x).relu().mean((2, 3))) * 10


class Overwritten(nn.Module):
    """A map that is changed in place and read again under its previous name."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)

    def forward(self, x):
        y = self.first(x)
        z = F.relu(y, inplace=True)
        return self.head((y - 0.5 * z).mean((2, 3))) * 10


class BatchStatistics(nn.Module):
    """Batch norm without stored statistics, which mixes the fields of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.body(x).pow(2).mean((2, 3)))


class Masked(nn.Module):
    """Multiplication by a constant that varies over the map."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.linspace(0, 1, 24 * 32).view(1, 1, 24, 32))
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)

    def forward(self, x):
        return self.last((self.first(x) * self.mask).mean((2, 3))) * 10


class OwnConvolution(nn.Conv2d):
    """A subclass that computes something else than its base class."""

    def forward(self, x):
        return super().forward(x) + x.mean((2, 3), keepdim=True)


def own_convolution():
    return nn.Sequential(
        OwnConvolution(3, 3, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )


def hooked():
    network = nn.Sequential(
        nn.Conv2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    network[0].register_forward_hook(lambda module, given, out: out - out.mean((2, 3), keepdim=True).abs())
    return network


def circular():
    return nn.Sequential(
        nn.Conv2d(3, 3, 3, padding=1, padding_mode="circular"),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(3, 2),
    )


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (SqueezeExcite, "mul: joins a map with what is not local"),
        (Attention, "is not known to be local"),
        (ControlFlow, "cannot be traced"),
        (Overwritten, "in place"),
        (BatchStatistics, "disagreed with a full pass"),
        (Masked, "mul is not known to be local"),
        (own_convolution, "joins a map with what is not local"),
        (hooked, "Conv2d is not known to be local"),
        (circular, "Conv2d is not known to be local"),
    ],
)
def test_networks_without_a_plan_use_full_passes_and_give_a_reason(make, reason, brute_force):
    torch.manual_seed(0)
    network = make().eval()
    fields = torch.randn(2, 3, 24, 32)
    engine = OcclusionEngine(network)
    maps = engine.maps(fields, window=9, stride=6, baseline="zero", score="logit")
    with torch.no_grad():
        whole = torch.cat([network(field) for field in fields.split(1)])
    expected = whole[:, None, None] - brute_force(network, fields, torch.zeros_like(fields), maps.grids[0])
    torch.testing.assert_close(maps.drops[0], expected.permute(0, 3, 1, 2), atol=1e-5, rtol=1e-4)
    assert expected.std() > 1e-3
    assert reason in engine.explain_plan()


def test_a_plan_that_disagrees_with_full_passes_is_not_used(monkeypatch, caplog, tiny_network, fields):
    expected = OcclusionEngine(tiny_network, fast=False).maps(fields, window=8, stride=4)
    right = extents.ReceptiveField.changes

    def wrong(self, start, stop, length):
        first, last = right(self, start, stop, length)
        return first, np.maximum(last - 1, first + 1)

    monkeypatch.setattr(extents.ReceptiveField, "changes", wrong)
    engine = OcclusionEngine(tiny_network)
    with caplog.at_level(logging.WARNING):
        found = engine.maps(fields, window=8, stride=4)
    torch.testing.assert_close(found.importance, expected.importance, atol=1e-6, rtol=0)
    assert "disagreed with a full pass" in caplog.text
    assert "disagreed with a full pass" in engine.explain_plan()


def test_a_network_is_read_again_after_training(tiny_network, fields):
    engine = OcclusionEngine(tiny_network)
    before = engine.maps(fields, window=10, stride=10)
    with torch.no_grad():
        for parameter in tiny_network.parameters():
            parameter.mul_(1.5)
    after = engine.maps(fields, window=10, stride=10)
    expected = OcclusionEngine(tiny_network, fast=False).maps(fields, window=10, stride=10)
    assert (before.importance - after.importance).abs().max() > 1e-4
    torch.testing.assert_close(after.importance, expected.importance, atol=1e-6, rtol=0)


def test_maps_do_not_depend_on_threads_and_memory(tiny_network, fields):
    engine = OcclusionEngine(tiny_network)
    expected = engine.maps(fields, window=10, stride=5).importance
    torch.set_num_threads(2)
    for memory in (1, 300_000):
        found = OcclusionEngine(tiny_network, memory=memory).maps(fields, window=10, stride=5).importance
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert torch.get_num_threads() == 2


@pytest.mark.skipif(not has_packed_kernels(torch.bfloat16), reason="this CPU has no bfloat16")
def test_bfloat16_is_marked_as_not_exact_and_its_error_is_measured(tiny_network, fields, caplog):
    exact = OcclusionEngine(tiny_network).maps(fields, window=10, stride=5)
    assert exact.is_exact
    with caplog.at_level(logging.INFO):
        narrow = OcclusionEngine(tiny_network, precision="bfloat16").maps(fields, window=10, stride=5)
    assert not narrow.is_exact
    assert 0 < narrow.error < 0.05
    assert "not exact" in caplog.text
    assert (narrow.importance - exact.importance).abs().max() < 0.05


def test_the_summary_of_a_plan_shows_the_recomputed_fraction(tiny_network, fields):
    engine = OcclusionEngine(tiny_network)
    with pytest.raises(ValueError, match="call maps first"):
        engine.explain_plan()
    engine.maps(fields, window=10, stride=5)
    text = engine.explain_plan()
    assert "48 windows" not in text
    assert f"{len(place_windows(30, 41, 10, 5))} windows of 10 pixels every 5 on 30 x 41" in text
    assert "times less" in text
    assert "means over whole maps are updated from the changed regions alone" in text
    engine = OcclusionEngine(tiny_network, fast=False)
    engine.maps(fields, window=10, stride=5)
    assert engine.explain_plan() == "every window is a full pass: the fast path is switched off"


def test_finished_windows_are_reported(tiny_network, fields):
    grid = place_windows(30, 41, 10, 5)
    for fast in (True, False):
        counts: list[int] = []
        several = passes.Passes(tiny_network.eval(), None, fast, None)
        chosen = torch.ones(grid.shape, dtype=torch.bool).numpy()
        with torch.no_grad():
            several.run(fields, torch.zeros_like(fields), grid, chosen, counts.append)
        assert sum(counts) == 2 * len(grid)
