from pathlib import Path
from typing import Any
from urllib.error import URLError

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from mds_lightning.models.backbones import build_backbone, create_network, find_backbone
from mds_lightning.models.backbones.heads import head_parameters
from mds_lightning.models.backbones.weights import WeightsError

TINY = "mobilenetv3_small_050"


def refuse(*_: object, **__: object) -> None:
    raise URLError("no route to host")


@pytest.fixture(autouse=True)
def _empty_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)


def test_other_names_belong_to_timm() -> None:
    network = build_backbone("mobilenetv3_small_050", 2, dropout=0.3)
    backbone = find_backbone("mobilenetv3_small_050")
    assert backbone.library == "timm"
    assert backbone.input_size is None
    assert [value.shape[0] for _, value in head_parameters(network, backbone.heads)] == [2, 2]
    assert network.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
    assert network.drop_rate == 0.3


def test_a_distilled_transformer_has_two_heads_and_one_input_size() -> None:
    backbone = find_backbone("deit_tiny_distilled_patch16_224")
    assert backbone.heads == ("head", "head_dist")
    assert backbone.input_size == (224, 224)
    with torch.device("meta"):
        network = create_network(backbone, 5)
    assert {name for name, _ in head_parameters(network, backbone.heads)} == {
        f"{head}.{kind}" for head in backbone.heads for kind in ("weight", "bias")
    }


@pytest.mark.parametrize("name", ["qwen3_vit_88m_enc", "gemma4_vit_570m_enc"])
def test_a_network_without_a_classifier_is_refused(name: str) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=f"{name} (has|is) no classifier"):
        build_backbone(name, 2)


@pytest.mark.parametrize(
    "error", [URLError("down"), RuntimeError("some client's own error"), KeyError("etag")]
)
def test_an_unreachable_server_is_an_error_with_remedies(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fail)
    with pytest.raises(
        WeightsError, match=rf"{TINY}.*cannot be downloaded.*backbone\.weights=FILE.*pretrained=false"
    ):
        build_backbone(TINY, 2, pretrained=True)


def test_a_network_without_published_weights_is_an_error() -> None:
    with pytest.raises(WeightsError, match="timm has no pretrained weights for coatnet_nano_cc_224"):
        build_backbone("coatnet_nano_cc_224", 2, pretrained=True)


def test_cached_weights_need_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = timm.create_model(TINY)
    cached = tmp_path / "model.safetensors"
    save_file(source.state_dict(), cached)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", refuse)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: str(cached))
    network = build_backbone(TINY, 2, pretrained=True)
    assert torch.equal(network.get_parameter("conv_stem.weight"), source.get_parameter("conv_stem.weight"))
    assert network.get_parameter("classifier.weight").shape[0] == 2
