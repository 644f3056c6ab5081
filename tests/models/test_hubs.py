import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from mds_lightning.models import hubs
from mds_lightning.models.backbones import build_backbone
from mds_lightning.models.weights import WeightsError

TINY = "mobilenetv3_small_050"


@pytest.fixture(autouse=True)
def _empty_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)


def refuse(*_: Any, **__: Any) -> None:
    raise URLError("no route to host")


def test_torchvision_out_of_reach_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(WeightsError) as caught:
        build_backbone("resnet18", 2, pretrained=True)
    message = str(caught.value)
    assert "resnet18" in message
    assert "no route to host" in message
    assert "backbone.weights=FILE" in message
    assert "backbone.pretrained=false" in message
    assert f"put resnet18-f37072fd.pth into {tmp_path / 'torch' / 'hub' / 'checkpoints'}" in message


@pytest.mark.parametrize(
    "error", [URLError("down"), RuntimeError("some client's own error"), KeyError("etag")]
)
def test_timm_out_of_reach_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fail)
    with pytest.raises(
        WeightsError, match=rf"{TINY}.*cannot be had.*backbone\.weights=FILE.*pretrained=false"
    ):
        build_backbone(TINY, 2, pretrained=True)


def test_a_hub_that_never_answers_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "TIMEOUT", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        # Without the time limit the download would wait for ever: after a while it is hung up on.
        hang_up = threading.Timer(6, silent.shutdown, [socket.SHUT_RDWR])
        hang_up.start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/resnet18-f37072fd.pth"
        entry = {"IMAGENET1K_V1": SimpleNamespace(url=url)}
        monkeypatch.setattr("torchvision.models.get_model_weights", lambda _: entry)
        started = time.monotonic()
        with pytest.raises(WeightsError, match="timed out"):
            build_backbone("resnet18", 2, pretrained=True)
        hang_up.cancel()
    assert time.monotonic() - started < 5
    assert socket.getdefaulttimeout() is None


def test_timm_without_published_weights_is_an_error() -> None:
    with pytest.raises(WeightsError, match="timm has no pretrained weights for coatnet_nano_cc_224"):
        hubs.fetch_timm("coatnet_nano_cc_224")


def test_a_downloaded_file_is_taken_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    source = build_backbone("squeezenet1_1", 1000)
    asked: list[tuple[str, str]] = []

    def download(url: str, path: str, digest: str, progress: bool) -> None:
        asked.append((url, digest))
        torch.save(source.state_dict(), path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    for _ in range(2):
        network = build_backbone("squeezenet1_1", 2, pretrained=True)
        assert torch.equal(network.features[0].weight, source.features[0].weight)
    assert asked == [("https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth", "b8a52dc0")]


def test_a_damaged_file_in_the_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "torch" / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a download")
    with pytest.raises(WeightsError, match=rf"(?s){path.name} .*Delete the cached file"):
        build_backbone("squeezenet1_1", 2, pretrained=True)


def test_timm_s_filled_cache_needs_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = timm.create_model(TINY)
    cached = tmp_path / "model.safetensors"
    save_file(source.state_dict(), cached)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", refuse)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: str(cached))
    network = build_backbone(TINY, 2, pretrained=True)
    assert torch.equal(network.get_parameter("conv_stem.weight"), source.get_parameter("conv_stem.weight"))
    assert network.get_parameter("classifier.weight").shape[0] == 2


def test_a_file_needs_no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    source, path = build_backbone("squeezenet1_1", 2), tmp_path / "weights.pt"
    torch.save(source.state_dict(), path)
    network = build_backbone("squeezenet1_1", 2, pretrained=True, weights=path)
    assert torch.equal(network.features[0].weight, source.features[0].weight)
