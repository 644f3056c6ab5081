"""Every explanation method through the interface that they share."""

import subprocess
import sys

import pytest
import torch

from mds_lightning.explain import methods
from mds_lightning.explain.explainer import Explainer
from mds_lightning.explain.method_registry import find_method, registered_methods
from mds_lightning.explain.parameters import ExplanationParameters

METHODS = ["captum_occlusion", "integrated_gradients", "layer_gradcam", "occlusion"]


def test_every_file_of_a_method_is_found():
    assert list(registered_methods()) == METHODS


NEW_METHOD = """
from mds_lightning.explain.explanation_method import PerClassMethod

class Brightness(PerClassMethod):
    name, title, description = "brightness", "Brightness", "The brightness of a pixel is its importance."

    def attribute(self, network, forward, inputs, covers, target, parameters):
        return inputs.mean(1)
"""


def test_a_new_method_is_one_file(tmp_path, monkeypatch, tiny_network, fields):
    (tmp_path / "brightness.py").write_text(NEW_METHOD)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    registered_methods.cache_clear()
    try:
        assert list(registered_methods()) == ["brightness", *METHODS]
        found = Explainer(tiny_network, ExplanationParameters("brightness")).explain(fields)
    finally:
        registered_methods.cache_clear()
    torch.testing.assert_close(found.importance[:, 0], fields.mean(1))


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"explain.method is 'saliency': choose one of captum_occlusion, "):
        find_method("saliency")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_one_map_per_class_and_the_probabilities(name, tiny_network, fields):
    explainer = Explainer(tiny_network, ExplanationParameters(name, window=10, stride=10))
    found = explainer.explain(fields)
    assert found.importance.shape == (2, 3, 30, 41)
    assert found.importance.dtype == torch.float32
    tiny_network.eval()
    with torch.no_grad():
        torch.testing.assert_close(found.probabilities, tiny_network(fields).softmax(1))
    assert (found.occlusion is not None) == (name == "occlusion")
    assert find_method(name).title
    assert find_method(name).description.endswith(".")


@pytest.mark.parametrize("name", METHODS)
def test_only_settings_that_a_method_uses_describe_its_maps(name):
    described = ExplanationParameters(name).describe()
    assert described["method"] == name
    assert ("window" in described) == ("occlusion" in name)
    assert ("least_drop" in described) == (name == "occlusion")
    assert "memory_gb" not in described
    assert "faithfulness" not in described


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"occlusion"}))
def test_settings_that_do_not_go_with_a_method_are_refused(name):
    with pytest.raises(ValueError, match=r"set explain.precision=full"):
        ExplanationParameters(name, precision="bfloat16")
    with pytest.raises(ValueError, match=r"set explain.method=occlusion"):
        ExplanationParameters(name).check_crops()


def test_captum_is_loaded_only_by_the_methods_that_use_it():
    code = (
        "import sys, torch; from mds_lightning.explain.explainer import Explainer\n"
        "from mds_lightning.explain.parameters import ExplanationParameters\n"
        "import mds_lightning.callbacks.occlusion_maps\n"
        "net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.AdaptiveAvgPool2d(1), "
        "torch.nn.Flatten())\n"
        "Explainer(net, ExplanationParameters()).explain(torch.rand(1, 3, 24, 24))\n"
        "assert not [name for name in sys.modules if name.startswith('captum')]\n"
        "Explainer(net, ExplanationParameters('layer_gradcam')).explain(torch.rand(1, 3, 24, 24))\n"
        "assert 'captum' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
