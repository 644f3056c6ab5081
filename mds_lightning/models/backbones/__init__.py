"""The networks: the sixteen of the paper by their names in torchvision, and every classifier of timm.

`build_backbone` is the public entry. `library_registry` finds the libraries, each a file in `libraries/`.
"""

from mds_lightning.models.backbones.building import build_backbone, create_network, load_initial_weights
from mds_lightning.models.backbones.library import Backbone, BackboneLibrary
from mds_lightning.models.backbones.library_registry import BACKBONES, find_backbone

__all__ = [
    "BACKBONES",
    "Backbone",
    "BackboneLibrary",
    "build_backbone",
    "create_network",
    "find_backbone",
    "load_initial_weights",
]
