import torch

from mds_lightning.explain.explainer import Explainer
from mds_lightning.explain.parameters import ExplanationParameters


def test_the_map_adds_up_to_the_difference_from_the_baseline(tiny_network, fields):
    parameters = ExplanationParameters("integrated_gradients", baseline="zero", score="logit")
    found = Explainer(tiny_network, parameters).explain(fields, targets=[1]).importance
    tiny_network.eval()
    with torch.no_grad():
        difference = (tiny_network(fields) - tiny_network(torch.zeros_like(fields)))[:, 1]
    torch.testing.assert_close(found.sum((1, 2, 3)), difference, atol=0.05, rtol=0.05)
    assert all(parameter.grad is None for parameter in tiny_network.parameters())
