"""Kernels of convolutions on this CPU, and with the instruction sets of older ones."""

import logging
import os
import platform
import subprocess
import sys

import pytest
import torch
from torch import nn

from mds_lightning.explain.incremental.run.kernels import has_packed_kernels
from mds_lightning.explain.occlusion import OcclusionEngine

_COUNT_REORDERS = """
import torch
from torch import nn
from mds_lightning.explain.occlusion import OcclusionEngine

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.block = nn.Sequential(nn.Conv2d(64, 48, 1), nn.ReLU(), nn.Conv2d(48, 192, 3, 2, 1), nn.ReLU())
        self.shortcut = nn.Conv2d(64, 192, 1, 2)
        self.end = nn.Sequential(
            nn.Conv2d(192, 192, 3, 1, 1, groups=192), nn.Conv2d(192, 128, 3, 1, 1, groups=4), nn.ReLU(),
            nn.Conv2d(128, 256, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.head = nn.Linear(256, 2)
    def forward(self, x):
        x = self.stem(x)
        return self.head(self.end((self.block(x) + self.shortcut(x)).relu()))

torch.manual_seed(0)
torch.set_num_threads(2)
engine = OcclusionEngine(Network())
images = torch.rand(2, 3, 224, 160)
for _ in range(2):
    print("next map", flush=True)
    engine.maps(images[:1], window=24, stride=16)
"""

_REQUEST_BFLOAT16 = """
import logging
import torch
from torch import nn
from mds_lightning.explain.occlusion import OcclusionEngine

logging.basicConfig(level=logging.WARNING)
torch.manual_seed(0)
network = nn.Sequential(
    nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
)
images = torch.rand(1, 3, 40, 50)
full = OcclusionEngine(network, fast=False).maps(images, window=12, stride=6)
narrow = OcclusionEngine(network, precision="bfloat16").maps(images, window=12, stride=6)
print("exact" if narrow.is_exact else "not exact", float((narrow.importance - full.importance).abs().max()))
"""


def run_with(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a new process, since the instruction set is chosen once per process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip


#: A warning of `torch.backends.mkldnn.flags` about a setting that the tests do not change.
ignore_tf32 = pytest.mark.filterwarnings("ignore:TF32 acceleration on top of oneDNN")
needs_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="instruction sets of x86")


@needs_x86
@pytest.mark.parametrize("isa", ["ALL", "AVX512_CORE", "AVX2"])
def test_no_weights_are_reordered_once_every_crop_size_has_occurred(isa):
    output = run_with(_COUNT_REORDERS, ONEDNN_MAX_CPU_ISA=isa, ONEDNN_VERBOSE="1").stdout
    first, second = output.split("next map")[1:]
    assert "exec,cpu,reorder" in first
    assert "exec,cpu,convolution" in second
    assert "exec,cpu,inner_product" in second
    reorders = [line for line in second.splitlines() if "exec,cpu,reorder" in line]
    assert not reorders


@needs_x86
@pytest.mark.parametrize(("onednn", "aten"), [("AVX2", "avx2"), ("SSE41", "default")])
def test_bfloat16_on_a_cpu_without_it_gives_exact_maps_and_a_warning(onednn, aten):
    result = run_with(_REQUEST_BFLOAT16, ONEDNN_MAX_CPU_ISA=onednn, ATEN_CPU_CAPABILITY=aten)
    assert "torch.bfloat16 was requested, but MKL-DNN does not support it" in result.stderr
    is_exact, difference = result.stdout.rsplit(maxsplit=1)
    assert is_exact == "exact"
    assert float(difference) < 1e-6


@ignore_tf32
def test_without_mkldnn_public_operators_give_the_same_maps(tiny_network, fields, caplog):
    expected = OcclusionEngine(tiny_network).maps(fields, window=10, stride=5)
    with torch.backends.mkldnn.flags(enabled=False), caplog.at_level(logging.WARNING):
        assert not has_packed_kernels(torch.float32)
        found = OcclusionEngine(tiny_network).maps(fields, window=10, stride=5)
        assert not caplog.messages
        narrow = OcclusionEngine(tiny_network, precision="bfloat16").maps(fields, window=10, stride=5)
    assert "torch.bfloat16 was requested" in caplog.text
    assert narrow.is_exact
    for maps in (found, narrow):
        torch.testing.assert_close(maps.importance, expected.importance, atol=1e-6, rtol=0)


@ignore_tf32
def test_an_engine_adapts_when_mkldnn_is_disabled_and_enabled(tiny_network, fields):
    engine = OcclusionEngine(tiny_network, precision="bfloat16")
    before = engine.maps(fields, window=10, stride=5)
    with torch.backends.mkldnn.flags(enabled=False):
        assert engine.maps(fields, window=10, stride=5).is_exact
    after = engine.maps(fields, window=10, stride=5)
    assert before.is_exact == after.is_exact
    torch.testing.assert_close(after.importance, before.importance, atol=1e-6, rtol=0)


def test_one_pixel_convolutions_of_joined_maps_equal_a_full_pass(brute_force):
    class Joined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 6, 1)
            self.joined, self.head = nn.Conv2d(14, 8, 1), nn.Linear(8, 2)

        def forward(self, x):
            first = self.first(x)
            joined = self.joined(torch.cat([first.relu(), self.second(x).relu()], 1)) + first
            return self.head(joined.relu().mean((2, 3)))

    torch.manual_seed(0)
    network, image = Joined(), torch.rand(1, 3, 20, 21)
    maps = OcclusionEngine(network).maps(image, window=6, stride=3, baseline="zero", score="logit")
    expected = brute_force(network, image, torch.zeros_like(image), maps.grids[0])
    with torch.no_grad():
        drops = (network(image)[:, None, None] - expected).permute(0, 3, 1, 2)
    torch.testing.assert_close(maps.drops[0], drops, atol=1e-5, rtol=0)
