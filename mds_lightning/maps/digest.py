"""Fingerprints of maps: hashes of a model's weights and of an image's pixels."""

import hashlib
import json

import torch
from torch import Tensor, nn

from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.fingerprint import Fingerprint


def make_fingerprint(parameters: ExplanationParameters, model: str, image: Tensor) -> Fingerprint:
    """Fingerprint of one map.

    Args:
        parameters: The settings.
        model: `digest_weights` of the network.
        image: uint8, (3, H, W).
    """
    digest = hashlib.sha256(str(tuple(image.shape)).encode())
    digest.update(image.contiguous().numpy().tobytes())
    return Fingerprint(json.dumps(parameters.describe(), sort_keys=True), model, digest.hexdigest())


def digest_weights(model: nn.Module) -> str:
    """SHA-256 of all weights and buffers, on any device."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        if tensor.numel():
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
