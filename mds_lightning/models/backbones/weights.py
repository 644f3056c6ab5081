"""Weights from a file into a network: what is read, what must fit, and what is refused."""

import logging
import pickle
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mds_lightning.models.backbones.heads import is_head

logger = logging.getLogger(__name__)

_SHOWN = 5
# torchvision's DenseNet files still carry the names of 2017: `norm.1.weight` for today's `norm1.weight`.
_OLD_DENSENET = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))$"
)


class WeightsError(ValueError):
    """Weights that were asked for cannot be had; the message says what to do."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict without running any code that the file may hold.

    Args:
        path: `.safetensors`, or a `.pth` or `.pt` written by `torch.save(network.state_dict(), path)`.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        WeightsError: The file is missing, of another kind, damaged, or holds anything but named tensors.
    """
    if not path.is_file():
        raise WeightsError(f"backbone.weights: there is no file {path}")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{path} cannot be read as safetensors: {error}") from error
    if path.suffix in (".pth", ".pt"):
        return _only_tensors(path, _load_pickle(path))
    if path.suffix == ".ckpt":
        raise WeightsError(
            f"{path} is the checkpoint of a training run, not a state dict: write the tensors whose names "
            "begin with 'network.' (without it) to a .safetensors file and give that"
        )
    raise WeightsError(f"{path}: backbone.weights reads .safetensors, .pth and .pt, not '{path.suffix}'")


def load_weights(network: nn.Module, state: Mapping[str, Tensor], heads: Sequence[str], origin: str) -> None:
    """Copy `state` into `network`; only the head may differ, and then stays as it is.

    Args:
        network: Receives the weights, in place and in its own dtype.
        state: Tensors by the network's own names (DenseNet's old ones are understood).
        heads: Names of the modules that make up the head.
        origin: Where `state` came from, for messages.

    Raises:
        WeightsError: Names the keys before the head that are missing, unexpected, misshapen or not finite.
    """
    given = {_OLD_DENSENET.sub(r"\1\2", key): value for key, value in state.items()}
    own = network.state_dict()
    complaints = _complaints(
        {key: value for key, value in given.items() if not is_head(key, heads)},
        {key: value for key, value in own.items() if not is_head(key, heads)},
    )
    if complaints:
        raise WeightsError(
            f"{origin} does not fit {type(network).__name__} (see backbone.name):\n  "
            + "\n  ".join(complaints)
        )
    ours = {key: tuple(value.shape) for key, value in own.items() if is_head(key, heads)}
    theirs = {key: tuple(value.shape) for key, value in given.items() if is_head(key, heads)}
    if ours == theirs:
        logger.info("%s: all weights loaded, the head's too", origin)
    else:
        given = {key: value for key, value in given.items() if not is_head(key, heads)}
        logger.info(
            "%s: loaded; the head stays random: it is %s here and %s there", origin, ours, theirs or "missing"
        )
    network.load_state_dict(given, strict=False)


def _complaints(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    """What keeps `given` from being the weights of a network whose state dict is `own`."""
    # Counts of batches are not in files from before 2018, and nothing reads them.
    missing = [key for key in own if key not in given and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in given if key not in own]
    shared = [key for key in given if key in own]
    shapes = [
        f"{key} is {tuple(given[key].shape)}, not {tuple(own[key].shape)}"
        for key in shared
        if given[key].shape != own[key].shape
    ]
    not_finite = [key for key in shared if not torch.isfinite(given[key]).all()]
    faults = {
        "missing": missing,
        "unexpected": unexpected,
        "other shape": shapes,
        "NaN or infinite": not_finite,
    }
    return [f"{fault}: {_listed(keys)}" for fault, keys in faults.items() if keys]


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _load_pickle(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes are taken for a pickle, and raise whatever they stumble over
        foreign = (
            re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, pickle.UnpicklingError) else None
        )
        if foreign is None:
            raise WeightsError(
                f"{path} is damaged or not a file of torch.save ({type(error).__name__}): fetch it anew"
            ) from error
        raise WeightsError(
            f"{path} holds more than tensors ({foreign[1]}), and opening it could run code: where you trust "
            "it, write it anew with torch.save(network.state_dict(), FILE) or as .safetensors"
        ) from error


def _only_tensors(path: Path, content: object) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} holds a {type(content).__name__}, not a state dict (tensors by name)")
    others = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if others or not content:
        raise WeightsError(
            f"{path} is not a plain state dict (tensors by name): {_listed(others) or 'nothing in it'}. "
            "Write the state dict alone to a file and give that"
        )
    return {str(key): value for key, value in content.items()}
