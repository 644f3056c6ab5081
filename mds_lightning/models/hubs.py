"""Published weights from the hubs of torchvision and timm, or a clear word when they cannot be had."""

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor

from mds_lightning.models.weights import WeightsError, read_weights

logger = logging.getLogger(__name__)

# Seconds without an answer before a hub counts as out of reach; torch.hub itself would wait for ever.
TIMEOUT = 15.0


def fetch_torchvision(source: str) -> dict[str, Tensor]:
    """The ImageNet weights (`IMAGENET1K_V1`, the paper's) of a torchvision network, from cache or hub.

    Args:
        source: Name within torchvision.

    Raises:
        WeightsError: They are not in the cache and cannot be downloaded, or the cached file is damaged.
    """
    from torchvision.models import get_model_weights

    url: str = get_model_weights(source)["IMAGENET1K_V1"].url
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    if not path.is_file():
        logger.info("downloading %s to %s", url, path)
        digest = re.search(r"-([a-f0-9]{8,})\.", path.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _time_limit():
                torch.hub.download_url_to_file(url, str(path), digest and digest[1], progress=False)
        except (OSError, RuntimeError) as error:
            raise _unreachable(source, url, error, f"put {path.name} into {path.parent}") from error
    try:
        return read_weights(path)
    except WeightsError as error:
        raise WeightsError(f"{error}\nDelete the cached file to have it downloaded again") from error


def fetch_timm(source: str) -> dict[str, Tensor]:
    """The published weights of a timm network, from its cache or its hub.

    Args:
        source: Name within timm, with or without a tag of its weights, such as `efficientnet_b0.ra_in1k`.

    Raises:
        WeightsError: timm publishes none, or they are not in the cache and cannot be downloaded.
    """
    import timm

    config = timm.get_pretrained_cfg(source)
    assert config is not None
    if not config.has_weights:
        raise WeightsError(
            f"timm has no pretrained weights for {source}: give a file with backbone.weights=FILE, "
            "or start from random weights with backbone.pretrained=false"
        )
    cached = _cached_by_hugging_face(config)
    overlay = {"file": cached} if cached else None
    try:
        with _time_limit():
            if cached is None and config.hf_hub_id:
                _probe_hugging_face(config.hf_hub_id)
            donor = timm.create_model(source, pretrained=True, pretrained_cfg_overlay=overlay)
    except Exception as error:  # the hub's client changes its errors with every major version
        place = f"https://huggingface.co/{config.hf_hub_id}" if config.hf_hub_id else str(config.url)
        remedy = "fill the cache (HF_HOME) on a machine that is online"
        raise _unreachable(source, place, error, remedy) from error
    return donor.state_dict()


def _cached_by_hugging_face(config: object) -> str | None:
    """A file of the cache that timm would load; asked for first, so that a filled cache needs no network."""
    from huggingface_hub import try_to_load_from_cache

    hub_id = getattr(config, "hf_hub_id", None)
    if not hub_id or getattr(config, "custom_load", False):
        return None
    repository, _, revision = hub_id.partition("@")
    named = getattr(config, "hf_hub_filename", None)
    for name in [named] if named else ["model.safetensors", "pytorch_model.bin"]:
        found = try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(found, str):
            return found
    return None


def _probe_hugging_face(hub_id: str) -> None:
    """Raise at once when the hub is out of reach; timm itself would try for up to minutes."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    repository, _, revision = hub_id.partition("@")
    url = hf_hub_url(repository, "config.json", revision=revision or None)
    try:
        get_hf_file_metadata(url, timeout=TIMEOUT)
    except EntryNotFoundError:
        logger.debug("%s has no config.json", hub_id)


def _unreachable(source: str, place: str, error: Exception, remedy: str) -> WeightsError:
    return WeightsError(
        f"no pretrained weights for {source}: {place} cannot be had ({error}). "
        f"Give a file with backbone.weights=FILE, {remedy}, "
        "or start from random weights with backbone.pretrained=false"
    )


@contextmanager
def _time_limit() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
