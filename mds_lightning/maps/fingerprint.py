"""How a map was made, so that it is neither made twice nor mixed with others of its folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mds_lightning.explain.parameters import ExplanationParameters

_KEYS = ("settings", "model", "pixels")


@dataclass(frozen=True)
class Stamp:
    """All that decides a map.

    Attributes:
        settings: How it was made (JSON).
        model: SHA-256 of the weights.
        pixels: SHA-256 of the image as the network saw it.
    """

    settings: str
    model: str
    pixels: str

    def is_of_one_kind(self, other: "Stamp | None") -> bool:
        """Whether maps of both may lie in one folder: the same model, asked in the same way."""
        return other is not None and (self.settings, self.model) == (other.settings, other.model)

    def explain_difference(self, other: "Stamp | None") -> str:
        """What the maps of `other` have otherwise, for people."""
        if other is None:
            return "made by an earlier version"
        if self.model != other.model:
            return "of other weights"
        here, there = json.loads(self.settings), json.loads(other.settings)
        keys = sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
        return ", ".join(f"explain.{key}={there.get(key)} there, {here.get(key)} now" for key in keys)


def make_stamp(parameters: ExplanationParameters, model: str, field: Tensor) -> Stamp:
    """The stamp of one map; `model` is `digest_weights` of the network, `field` uint8 (3, H, W)."""
    digest = hashlib.sha256(str(tuple(field.shape)).encode())
    digest.update(field.contiguous().numpy().tobytes())
    return Stamp(json.dumps(parameters.describe(), sort_keys=True), model, digest.hexdigest())


def read_stamp(file: Path) -> Stamp | None:
    """The stamp of a map's `.npz`, or None where it has none."""
    with np.load(file, allow_pickle=False) as arrays:
        if not set(_KEYS) <= set(arrays.files):
            return None
        return Stamp(*(str(arrays[key]) for key in _KEYS))


def digest_weights(model: nn.Module) -> str:
    """SHA-256 of all weights and buffers, wherever they lie."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        if tensor.numel():
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
