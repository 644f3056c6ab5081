"""Reads weights from a file and loads them into a network."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mds_lightning.models.backbones.heads import is_head
from mds_lightning.models.torch_file import TorchFileError, read_torch_file, refuse_unusual

logger = logging.getLogger(__name__)

_SHOWN = 5
# torchvision's DenseNet files have names of 2017: `norm.1.weight` instead of `norm1.weight`.
_OLD_DENSENET = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))$"
)


class WeightsError(ValueError):
    """Requested weights are not available or do not fit; the message says what to do."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict without running any code that the file may hold.

    Args:
        path: `.safetensors`, or a `.pth` or `.pt` written by `torch.save(network.state_dict(), path)`.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another format, or contains anything but named tensors.
    """
    if not path.is_file():
        raise WeightsError(f"backbone.weights: there is no file {path}")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix in (".pth", ".pt"):
        return _only_tensors(path, _read_pickle(path))
    if path.suffix == ".ckpt":
        raise WeightsError(
            f"{path} is the checkpoint of a training run, not a state dict: write the tensors whose names "
            "begin with 'network.' (without it) to a .safetensors file and give that"
        )
    raise WeightsError(f"{path}: backbone.weights reads .safetensors, .pth and .pt, not '{path.suffix}'")


def load_weights(network: nn.Module, state: Mapping[str, Tensor], heads: Sequence[str], origin: str) -> None:
    """Copy `state` into `network`; only the head may differ, and then keeps its weights.

    Args:
        network: Receives the weights, in place and in its own dtype.
        state: Tensors by the network's names (or DenseNet's old names).
        heads: Names of the modules that make up the head.
        origin: Source of `state`, for messages.

    Raises:
        WeightsError: Keys before the head are missing, unexpected or of another shape, or a value is not
            finite or a negative variance; the message names them.
    """
    given = {_OLD_DENSENET.sub(r"\1\2", key): value for key, value in state.items()}
    own = network.state_dict()
    mismatches = _mismatches(
        {key: value for key, value in given.items() if not is_head(key, heads)},
        {key: value for key, value in own.items() if not is_head(key, heads)},
    )
    _refuse_mismatches(mismatches, network, origin)
    ours = {key: tuple(value.shape) for key, value in own.items() if is_head(key, heads)}
    theirs = {key: tuple(value.shape) for key, value in given.items() if is_head(key, heads)}
    if ours == theirs:
        logger.info("%s: loaded all weights, including the head's", origin)
    else:
        given = {key: value for key, value in given.items() if not is_head(key, heads)}
        logger.info(
            "%s: loaded all weights but the head's, which stays random: its shapes are %s here and %s there",
            origin,
            ours,
            theirs or "missing",
        )
    _refuse_mismatches(_impossible_values(given, own), network, origin)
    network.load_state_dict(given, strict=False)


def _refuse_mismatches(mismatches: Mapping[str, Sequence[str]], network: nn.Module, origin: str) -> None:
    lines = [f"  {fault}: {_listed(keys)}" for fault, keys in mismatches.items() if keys]
    if lines:
        raise WeightsError(
            "\n".join([f"{origin} does not fit {type(network).__name__} (see backbone.name):", *lines])
        )


def _mismatches(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Differences between `given` and the state dict `own` of a network: kind to the keys that have it."""
    # Files from before 2018 have no counts of batches, and nothing reads them.
    missing = [key for key in own if key not in given and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in given if key not in own]
    shared = [key for key in given if key in own]
    shapes = [
        f"{key} is {tuple(given[key].shape)}, not {tuple(own[key].shape)}"
        for key in shared
        if given[key].shape != own[key].shape
    ]
    fitting = {key: given[key] for key in shared if given[key].shape == own[key].shape}
    return {
        "missing": missing,
        "unexpected": unexpected,
        "other shape": shapes,
        **_impossible_values(fitting, own),
    }


def _impossible_values(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Faults of the values, as they are in the types of the network: kind to the keys that have it."""
    loaded = {key: value.to(own[key].dtype) for key, value in given.items()}
    return {
        "NaN or infinite": [key for key, value in loaded.items() if not torch.isfinite(value).all()],
        "negative variance": [
            key for key, value in loaded.items() if key.endswith("running_var") and bool((value < 0).any())
        ],
    }


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        state = load_file(path)
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} cannot be read as safetensors: {error}") from error
    try:
        for name, tensor in state.items():
            refuse_unusual(path, name, tensor)
    except TorchFileError as error:
        raise WeightsError(str(error)) from error
    return state


def _read_pickle(path: Path) -> object:
    try:
        return read_torch_file(path)
    except TorchFileError as error:
        raise WeightsError(
            f"{error}. Download it again, or if you trust it, write it again with "
            "torch.save(network.state_dict(), FILE) or as .safetensors"
        ) from error


def _only_tensors(path: Path, content: object) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} holds a {type(content).__name__}, not a state dict (tensors by name)")
    others = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if others or not content:
        raise WeightsError(
            f"{path} is not a plain state dict (tensors by name): {_listed(others) or 'it is empty'}. "
            "Write the state dict alone to a file and give that file"
        )
    return {str(key): value for key, value in content.items()}
