import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mds_lightning.models.backbones import build_backbone
from mds_lightning.models.backbones.weights import WeightsError, load_weights, read_weights

State = dict[str, Tensor]


class Small(nn.Module):
    """Convolution and batch norm, then a head of its own name."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, classes)


def filled(network: nn.Module, value: float) -> State:
    return {key: torch.full_like(tensor, value) for key, tensor in network.state_dict().items()}


def load(network: nn.Module, state: State) -> None:
    load_weights(network, state, ("fc",), "FILE")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
def test_files_are_read_as_they_were_written(tmp_path: Path, suffix: str) -> None:
    state = Small(2).state_dict()
    path = tmp_path / f"weights{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    read = read_weights(path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], state[key]) for key in state)


class Payload:
    """A pickle that would create a file when it is opened."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return os.mkdir, (str(self.victim),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("legacy", [False, True])
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path, legacy: bool) -> None:
    path, victim = tmp_path / "weights.pth", tmp_path / "victim"
    torch.save({"conv": Payload(victim)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(WeightsError, match=r"weights\.pth holds more than tensors \(.*mkdir\).*run code"):
        read_weights(path)
    path.write_bytes(pickle.dumps(Payload(victim)))
    with pytest.raises(WeightsError, match=r"weights\.pth"):
        read_weights(path)
    assert not victim.exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (
            {"state_dict": {"fc.weight": torch.ones(1)}, "epoch": 3},
            "not a plain state dict.*state_dict, epoch",
        ),
        ({}, "it is empty"),
        ([torch.ones(1)], "holds a list"),
    ],
)
def test_other_contents_than_a_state_dict_are_refused(tmp_path: Path, content: object, named: str) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match=named):
        read_weights(path)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
@pytest.mark.parametrize(
    "content", [b"", b"not weights at all", b"half a download", b"<html>", b"PK\x03\x04 broken"]
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"{name} (cannot be read|is damaged)"):
        read_weights(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "weights.safetensors", tmp_path / "weights.pth"):
        state = Small(2).state_dict()
        save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(WeightsError, match=path.name):
            read_weights(path)


@pytest.mark.parametrize(
    ("name", "named"), [("last.ckpt", "checkpoint of a training run"), ("weights.h5", "reads .safetensors")]
)
def test_other_kinds_of_file_are_refused(tmp_path: Path, name: str, named: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(WeightsError, match=named):
        read_weights(tmp_path / name)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(WeightsError, match=r"backbone\.weights: there is no file"):
            read_weights(path)


def test_all_weights_are_loaded_when_the_head_fits(caplog: pytest.LogCaptureFixture) -> None:
    network = Small(2)
    with caplog.at_level(logging.INFO):
        load(network, filled(network, 3))
    assert all(bool((tensor == 3).all()) for tensor in network.state_dict().values())
    assert "including the head's" in caplog.text


@pytest.mark.parametrize("change", ["shape", "missing", "half", "other"])
def test_only_the_head_may_differ_and_then_keeps_all_its_weights(
    change: str, caplog: pytest.LogCaptureFixture
) -> None:
    network = Small(2)
    before = network.fc.weight.detach().clone(), network.fc.bias.detach().clone()
    state = filled(Small(1000) if change == "shape" else network, 3)
    if change == "missing":
        del state["fc.weight"], state["fc.bias"]
    if change == "half":
        del state["fc.bias"]
    if change == "other":
        state["fc.2.weight"] = state.pop("fc.weight")
    with caplog.at_level(logging.INFO):
        load(network, state)
    assert bool((network.conv.weight == 3).all())
    assert bool((network.norm.running_var == 3).all())
    assert torch.equal(network.fc.weight, before[0])
    assert torch.equal(network.fc.bias, before[1])
    assert "fc.weight" in caplog.text


def test_all_mismatches_before_the_head_are_named_and_nothing_is_loaded() -> None:
    network = Small(2)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = filled(network, 3)
    state["norm.gain"] = state.pop("norm.weight")
    state["conv.weight"] = torch.ones(4, 3, 5, 5)
    state["conv.bias"][1] = torch.nan
    with pytest.raises(WeightsError) as caught:
        load(network, state)
    message = str(caught.value)
    assert "FILE does not fit Small" in message
    assert "missing: norm.weight" in message
    assert "unexpected: norm.gain" in message
    assert "conv.weight is (4, 3, 5, 5), not (4, 3, 3, 3)" in message
    assert "NaN or infinite: conv.bias" in message
    assert all(torch.equal(network.state_dict()[key], before[key]) for key in before)


def test_a_long_list_of_mismatches_is_shortened() -> None:
    network = Small(2)
    state = filled(network, 3) | {f"extra.{index}": torch.ones(1) for index in range(12)}
    with pytest.raises(WeightsError, match=r"extra\.4 and 7 more$"):
        load(network, state)


def test_counts_of_batches_may_be_missing() -> None:
    network = Small(2)
    state = filled(network, 3)
    del state["norm.num_batches_tracked"]
    load(network, state)
    assert int(network.norm.num_batches_tracked) == 0
    assert bool((network.norm.running_mean == 3).all())


def test_half_precision_is_converted() -> None:
    network = Small(2)
    load(network, {key: value.half() for key, value in filled(network, 3).items()})
    assert network.conv.weight.dtype == torch.float32
    assert bool((network.conv.weight == 3).all())


def test_old_names_of_densenet_are_converted() -> None:
    source, network = build_backbone("densenet121", 2), build_backbone("densenet121", 2)
    old = {}
    for key, value in source.state_dict().items():
        for kind in ("norm", "conv"):
            for number in "12":
                if "denselayer" in key:
                    key = key.replace(f".{kind}{number}.", f".{kind}.{number}.")
        if "num_batches_tracked" not in key:
            old[key] = value
    assert "features.denseblock1.denselayer1.norm.1.running_mean" in old
    load_weights(network, old, ("classifier",), "old")
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in source.state_dict().items())


def test_real_weights_fit_squeezenet(real_weights: Path) -> None:
    network = build_backbone("squeezenet1_1", 2, weights=real_weights)
    whole = build_backbone("squeezenet1_1", 1000, weights=str(real_weights))
    file = load_file(real_weights)
    assert whole.state_dict().keys() == file.keys()
    assert all(torch.equal(whole.state_dict()[key], value) for key, value in file.items())
    features = {key: value for key, value in network.state_dict().items() if key.startswith("features.")}
    assert len(features) == len(file) - 2
    assert all(torch.equal(value, file[key]) for key, value in features.items())


def test_real_weights_with_a_fault_are_refused_by_name(real_weights: Path, tmp_path: Path) -> None:
    file, path = load_file(real_weights), tmp_path / "wrong.safetensors"
    renamed = {("module." + key if key == "features.0.weight" else key): value for key, value in file.items()}
    save_file(renamed, path)
    with pytest.raises(
        WeightsError, match=r"(?s)missing: features\.0\.weight\n.*unexpected: module\.features\.0"
    ):
        build_backbone("squeezenet1_1", 2, weights=path)
    save_file(file | {"features.3.squeeze.weight": torch.zeros(16, 64, 3, 3)}, path)
    with pytest.raises(
        WeightsError, match=r"features\.3\.squeeze\.weight is \(16, 64, 3, 3\), not \(16, 64, 1, 1\)"
    ):
        build_backbone("squeezenet1_1", 2, weights=path)
    with pytest.raises(WeightsError, match=r"does not fit ResNet \(see backbone\.name\)"):
        build_backbone("resnet18", 2, weights=real_weights)
