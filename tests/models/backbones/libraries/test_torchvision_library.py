import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest
import torch
from torch import nn
from torchvision.models import get_model_weights

from mds_lightning.models.backbones import BACKBONES, build_backbone, download
from mds_lightning.models.backbones.weights import WeightsError

PAPER = [
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d",
    "wide_resnet50_2", "wide_resnet101_2", "densenet121", "densenet161", "densenet169", "densenet201",
    "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "squeezenet1_1",
]  # fmt: skip


def refuse(*_: object, **__: object) -> None:
    raise URLError("no route to host")


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def test_the_sixteen_networks_of_the_paper_are_listed() -> None:
    assert list(BACKBONES) == PAPER
    assert all(backbone.name == name for name, backbone in BACKBONES.items())


@pytest.mark.parametrize("name", PAPER)
def test_published_parameter_count_and_normalisation(name: str) -> None:
    published = get_model_weights(name)["IMAGENET1K_V1"]
    with torch.device("meta"):
        network = build_backbone(name, 1000)
    backbone = BACKBONES[name]
    assert backbone.n_parameters == published.meta["num_params"]
    assert backbone.n_parameters == sum(parameter.numel() for parameter in network.parameters())
    transforms = published.transforms()
    assert list(backbone.mean) == transforms.mean
    assert list(backbone.std) == transforms.std


def test_squeezenet_has_no_dropout_by_default() -> None:
    with torch.device("meta"):
        network = build_backbone("squeezenet1_1", 2)
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.0]


def test_an_unreachable_server_is_an_error_with_remedies(
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


def test_a_server_that_does_not_answer_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
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


def test_downloaded_weights_are_loaded_and_cached(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_weights_from_a_file_need_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    source, path = build_backbone("squeezenet1_1", 2), tmp_path / "weights.pt"
    torch.save(source.state_dict(), path)
    network = build_backbone("squeezenet1_1", 2, pretrained=True, weights=path)
    assert torch.equal(network.features[0].weight, source.features[0].weight)
