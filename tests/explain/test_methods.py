import pytest
import torch

from mds_lightning.explain.methods import explain, last_feature_layer
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.models.backbones import build_backbone


def test_captum_and_our_engine_give_the_same_occlusion_map(tiny_network, fields):
    engine = OcclusionEngine(tiny_network)
    ours, captums = (
        explain(engine, fields, ExplanationParameters(method, window=10, stride=5), targets=[0, 2])
        for method in ("occlusion", "captum_occlusion")
    )
    torch.testing.assert_close(ours.importance, captums.importance, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.probabilities, captums.probabilities)


def test_integrated_gradients_add_up_to_the_difference(tiny_network, fields):
    engine = OcclusionEngine(tiny_network)
    how = ExplanationParameters("integrated_gradients", baseline="zero", score="logit")
    found = explain(engine, fields, how, targets=[1]).importance
    tiny_network.eval()
    with torch.no_grad():
        difference = (tiny_network(fields) - tiny_network(torch.zeros_like(fields)))[:, 1]
    torch.testing.assert_close(found.sum((1, 2, 3)), difference, atol=0.05, rtol=0.05)
    assert all(parameter.grad is None for parameter in tiny_network.parameters())


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_grad_cam_works_on_backbones(name):
    torch.manual_seed(0)
    network = build_backbone(name, 2)
    engine = OcclusionEngine(network)
    how = ExplanationParameters("layer_gradcam", score="logit")
    found = explain(engine, torch.rand(1, 3, 96, 64), how).importance
    assert found.shape == (1, 2, 96, 64)
    assert found.isfinite().all()
    assert found.abs().max() > 0
    assert network.training


def test_a_network_without_maps_has_no_grad_cam():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    with pytest.raises(ValueError, match="choose occlusion"):
        last_feature_layer(network, torch.zeros(1, 3, 2, 2))
