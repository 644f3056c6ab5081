import pytest
import torch

from mds_lightning.explain.explainer import Explainer
from mds_lightning.explain.method_registry import find_method
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.models.backbones import build_backbone


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_it_works_on_backbones(name):
    torch.manual_seed(0)
    network = build_backbone(name, 2)
    explainer = Explainer(network, ExplanationParameters("layer_gradcam", score="logit"))
    found = explainer.explain(torch.rand(1, 3, 96, 64)).importance
    assert found.shape == (1, 2, 96, 64)
    assert found.isfinite().all()
    assert found.abs().max() > 0
    assert network.training


def test_a_network_without_feature_maps_is_refused():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    with pytest.raises(ValueError, match=r"set explain.method=occlusion"):
        find_method("layer_gradcam").check_network(network, torch.zeros(1, 3, 2, 2))
