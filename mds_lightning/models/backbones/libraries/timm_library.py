"""Every image classifier of timm, with or without a tag of its weights (`resnet18.a1_in1k`)."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from torch import Tensor, nn

from mds_lightning.models.backbones.download import TIMEOUT, time_limit, unavailable
from mds_lightning.models.backbones.library import Backbone, BackboneLibrary
from mds_lightning.models.backbones.weights import WeightsError

logger = logging.getLogger(__name__)


class TimmLibrary:
    """See `BackboneLibrary`. No network has a file of its own in `conf/backbone`: use `backbone=timm`."""

    name = "timm"
    backbones: Mapping[str, Backbone] = {}

    def list_names(self) -> Sequence[str]:
        """Every architecture, without tags."""
        import timm

        return timm.list_models()

    def find(self, name: str) -> Backbone | None:
        """Describe a network by timm's own configuration of its pretrained weights."""
        import timm

        architecture = name.partition(".")[0]
        if architecture not in timm.list_models():
            return None
        try:
            config = timm.get_pretrained_cfg(name)
        except RuntimeError as error:
            tagged = ", ".join(timm.list_pretrained(f"{architecture}.*")) or "none"
            raise ValueError(
                f"backbone.name={name}: timm has no weights of that name; it has {tagged}"
            ) from error
        assert config is not None
        if config.classifier is None:
            raise ValueError(f"backbone.name={name} has no classifier to replace: choose another network")
        return Backbone(
            name=name,
            library=self.name,
            heads=(config.classifier,) if isinstance(config.classifier, str) else tuple(config.classifier),
            mean=cast(tuple[float, float, float], config.mean),
            std=cast(tuple[float, float, float], config.std),
            input_size=config.input_size[1:] if config.fixed_input_size else None,
        )

    def create(self, backbone: Backbone, num_classes: int, dropout: float) -> nn.Module:
        """The network, with `dropout` as timm's `drop_rate`."""
        import timm

        try:
            return timm.create_model(backbone.name, num_classes=num_classes, drop_rate=dropout)
        except TypeError as error:
            raise ValueError(
                f"backbone.name={backbone.name} is no classifier with dropout: {error}"
            ) from error

    def fetch_weights(self, backbone: Backbone) -> dict[str, Tensor]:
        """The weights of the tag in the name, or timm's default ones, from its cache or server."""
        import timm

        config = timm.get_pretrained_cfg(backbone.name)
        assert config is not None
        if not config.has_weights:
            raise WeightsError(
                f"timm has no pretrained weights for {backbone.name}: give a file with backbone.weights=FILE,"
                " or start from random weights with backbone.pretrained=false"
            )
        cached = _find_cached_file(config)
        overlay = {"file": cached} if cached else None
        try:
            with time_limit():
                if cached is None and config.hf_hub_id:
                    _check_server(config.hf_hub_id)
                donor = timm.create_model(backbone.name, pretrained=True, pretrained_cfg_overlay=overlay)
        except Exception as error:  # the client's exceptions change with every major version
            address = f"https://huggingface.co/{config.hf_hub_id}" if config.hf_hub_id else str(config.url)
            remedy = "fill the cache (HF_HOME) on a machine that is online"
            raise unavailable(backbone.name, address, error, remedy) from error
        return donor.state_dict()


def _find_cached_file(config: Any) -> str | None:
    """The file in Hugging Face's cache that timm would load: with it, no server is asked."""
    from huggingface_hub import try_to_load_from_cache

    hub_id = config.hf_hub_id
    if not hub_id or config.custom_load:
        return None
    repository, _, revision = hub_id.partition("@")
    named = config.hf_hub_filename
    for name in [named] if named else ["model.safetensors", "pytorch_model.bin"]:
        found = try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(found, str):
            return found
    return None


def _check_server(hub_id: str) -> None:
    """Raise at once if Hugging Face cannot be reached; timm itself would retry for minutes."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    repository, _, revision = hub_id.partition("@")
    url = hf_hub_url(repository, "config.json", revision=revision or None)
    try:
        get_hf_file_metadata(url, timeout=TIMEOUT)
    except EntryNotFoundError:
        logger.debug("%s has no config.json", hub_id)


LIBRARY: BackboneLibrary = TimmLibrary()
