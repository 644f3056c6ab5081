import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from mds_lightning.explain.occlusion import OcclusionEngine


class Wrapped(nn.Module):
    """As `SmearClassifier`: normalises its images before the network sees them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def normalise(self, images):
        return images.float() / 50 - 2

    def forward(self, images):
        return self.network(self.normalise(images))


def captum_map(model, images, target, window, stride, baseline=0.0):
    return Occlusion(lambda x: model(x).softmax(1)).attribute(
        images, (3, window, window), (3, stride, stride), target=target, baselines=baseline,
        perturbations_per_eval=7,
    )[:, 0]  # fmt: skip


@pytest.mark.parametrize(("window", "stride"), [(8, 4), (9, 5), (11, 11), (30, 1)])
def test_equals_captum_on_every_pixel_for_every_class(tiny_network, fields, window, stride):
    maps = OcclusionEngine(tiny_network).maps(fields, window=window, stride=stride, baseline="zero")
    tiny_network.eval()
    for target in range(3):
        expected = captum_map(tiny_network, fields, target, window, stride)
        torch.testing.assert_close(maps.importance[:, target], expected, atol=1e-6, rtol=0)


def test_covers_before_normalisation(tiny_network):
    images = torch.randint(
        0, 256, (1, 3, 24, 24), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    model = Wrapped(tiny_network)
    colour = torch.tensor([200.0, 180.0, 190.0])
    maps = OcclusionEngine(model).maps(images, targets=1, window=8, stride=4, baseline=colour)
    expected = captum_map(model.eval(), images.float(), 1, 8, 4, colour.view(1, 3, 1, 1).expand(1, 3, 24, 24))
    torch.testing.assert_close(maps.importance[:, 0], expected, atol=1e-6, rtol=0)


def test_leaves_mode_and_gradients_as_found(tiny_network, fields):
    tiny_network.train()
    tiny_network.body[1].eval()
    tiny_network.head.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in tiny_network.state_dict().items()}
    maps = OcclusionEngine(tiny_network).maps(fields, window=10, stride=10)
    assert tiny_network.training
    assert not tiny_network.body[1].training
    assert tiny_network.body[6].training
    assert [value.requires_grad for value in tiny_network.head.parameters()] == [False, True]
    assert all(value.grad is None for value in tiny_network.parameters())
    assert not maps.importance.requires_grad
    assert not tiny_network.body[0]._forward_hooks
    for name, value in tiny_network.state_dict().items():
        assert torch.equal(value, before[name])


def test_mode_is_restored_after_an_error(tiny_network, fields):
    tiny_network.train()
    with pytest.raises(ValueError, match="targets"):
        OcclusionEngine(tiny_network).maps(fields, targets=[3])
    assert tiny_network.training


def test_logits_do_not_saturate(tiny_network, fields):
    with torch.no_grad():
        tiny_network.head.bias += torch.tensor([40.0, 0, 0])
    engine = OcclusionEngine(tiny_network)
    assert engine.maps(fields, targets=0, window=10, stride=10).importance.abs().max() < 1e-6
    assert engine.maps(fields, targets=0, window=10, stride=10, score="logit").importance.abs().max() > 1e-3


def test_several_window_sizes_are_averaged(tiny_network, fields):
    engine = OcclusionEngine(tiny_network)
    both = engine.maps(fields, window=[8, 16], stride=8)
    alone = [engine.maps(fields, window=size, stride=8).importance for size in (8, 16)]
    torch.testing.assert_close(both.importance, (alone[0] + alone[1]) / 2)
    assert [grid.window for grid in both.grids] == [8, 16]
    assert [drop.shape[:2] for drop in both.drops] == [(2, 3), (2, 3)]


def test_one_logit_is_a_binary_tasks_positive_class(fields):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    maps = OcclusionEngine(network).maps(fields, window=10, stride=10, baseline="zero")
    covered = fields.clone()
    covered[..., :10, :10] = 0
    expected = (network(fields).sigmoid() - network(covered).sigmoid())[:, 0]
    torch.testing.assert_close(maps.drops[0][:, 0, 0, 0], expected.detach())
    torch.testing.assert_close(maps.probabilities, network(fields).sigmoid().detach())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"score": "odds"}, "probability or logit"),
        ({"window": 0.0}, "fraction"),
        ({"baseline": "grey"}, "background"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tiny_network, fields, arguments, message):
    with pytest.raises(ValueError, match=message):
        OcclusionEngine(tiny_network).maps(fields, **arguments)


def test_pixels_need_a_model_that_normalises(tiny_network):
    with pytest.raises(ValueError, match="does not normalise"):
        OcclusionEngine(tiny_network).maps(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
