import pytest
import timm
import torch
from torch import nn

from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.models.backbones import BACKBONES, build_backbone


def settled_backbone(name: str, images: torch.Tensor) -> nn.Module:
    """A backbone whose classes depend on the images, which they hardly do with random weights alone.

    Batch norms get the images' statistics; SqueezeNet, which has none, a head above its last ReLU's zero.
    """
    with torch.device("meta"):
        network = build_backbone(name, 2)
    network = network.to(images.dtype).to_empty(device="cpu")
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, (2 / parameter[0].numel()) ** 0.5)
            else:
                parameter.zero_()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.weight.fill_(1)
                module.momentum = 1.0
        if name == "squeezenet1_1":
            network.classifier[1].bias.fill_(1)
        network.train()(images)
    return network.eval()


def passes_in_full(network, images, grid, cover=0.0):
    """One whole pass a window, in one batch: (windows, classes)."""
    covered = images.repeat(len(grid), 1, 1, 1)
    extents = [(rows, columns) for rows in grid.rows for columns in grid.columns]
    for field, ((top, bottom), (left, right)) in zip(covered, extents, strict=True):
        field[:, top:bottom, left:right] = cover
    with torch.no_grad():
        return network(covered)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_gives_the_map_of_full_passes_by_the_fast_path(name):
    torch.manual_seed(0)
    images = torch.rand(4, 3, 64, 96)
    network = settled_backbone(name, images)
    engine = OcclusionEngine(network)
    maps = engine.maps(images[:1], window=24, stride=20, baseline="zero", score="logit")
    assert not engine.explain_plan().startswith("every window is a full pass")
    with torch.no_grad():
        expected = network(images[:1]) - passes_in_full(network, images[:1], maps.grids[0])
    # Single precision: what a hundred layers make of its last digit is small against what the windows change.
    spread = float(expected.std(0).min())
    assert spread > 1e-5
    torch.testing.assert_close(maps.drops[0][0].flatten(1).T, expected, atol=3e-3 * spread, rtol=0)
    assert maps.importance.shape == (1, 2, 64, 96)


@pytest.mark.parametrize(
    "name", ["resnet50", "resnext50_32x4d", "densenet121", "shufflenet_v2_x0_5", "squeezenet1_1"]
)
def test_each_family_is_exact_in_double_precision(name):
    torch.manual_seed(0)
    images = torch.rand(2, 3, 48, 64, dtype=torch.float64)
    network = settled_backbone(name, images)
    maps = OcclusionEngine(network).maps(images[:1], window=20, stride=20, baseline="zero")
    with torch.no_grad():
        expected = network(images[:1]).softmax(1) - passes_in_full(
            network, images[:1], maps.grids[0]
        ).softmax(1)
    assert expected.abs().max() > 1e-4
    torch.testing.assert_close(maps.drops[0][0].flatten(1).T, expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("efficientnet_b0", {}, "joins a map with what is not local"),
        ("vit_tiny_patch16_224", {"img_size": (64, 96)}, "not known to be local"),
        ("convnext_atto", {}, "not known to be local"),
    ],
)
def test_other_networks_of_timm_are_right_too(name, options, reason):
    torch.manual_seed(0)
    images = torch.rand(2, 3, 64, 96, dtype=torch.float64)
    network = timm.create_model(name, num_classes=2, **options).double()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
        network.train()(images)
    engine = OcclusionEngine(network.eval())
    maps = engine.maps(images, window=24, stride=20, baseline="zero", score="logit")
    for field, drops in zip(images.split(1), maps.drops[0], strict=True):
        with torch.no_grad():
            expected = network(field) - passes_in_full(network, field, maps.grids[0])
        assert expected.std(0).min() > 1e-3 * expected.abs().max()
        # Logits of random weights may be thousands.
        allowed = 1e-10 * float(expected.abs().max())
        torch.testing.assert_close(drops.flatten(1).T, expected, atol=allowed, rtol=0)
    assert reason in engine.explain_plan()
