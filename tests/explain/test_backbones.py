import pytest
import torch

from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.models.backbones import BACKBONES, build_backbone


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_gives_a_map_that_equals_one_pass_a_window(name):
    torch.manual_seed(0)
    network = build_backbone(name, 2).eval()
    images = torch.rand(1, 3, 64, 64)
    maps = OcclusionEngine(network).maps(images, window=32, stride=32, baseline="zero")
    for position, drop in enumerate(maps.drops[0][0].flatten(1).T):
        covered = images.clone()
        top, left = 32 * (position // 2), 32 * (position % 2)
        covered[..., top : top + 32, left : left + 32] = 0
        with torch.no_grad():
            expected = network(images).softmax(1)[0] - network(covered).softmax(1)[0]
        torch.testing.assert_close(drop, expected, atol=1e-5, rtol=0)
    assert maps.importance.shape == (1, 2, 64, 64)
