import torch

from mds_lightning.explain.explainer import Explainer
from mds_lightning.explain.parameters import ExplanationParameters


def test_captum_and_the_engine_give_the_same_map(tiny_network, fields):
    ours, captums = (
        Explainer(tiny_network, ExplanationParameters(method, window=10, stride=5)).explain(fields, [0, 2])
        for method in ("occlusion", "captum_occlusion")
    )
    torch.testing.assert_close(ours.importance, captums.importance, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.probabilities, captums.probabilities)
