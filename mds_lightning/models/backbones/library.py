"""What a library of backbones provides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Backbone:
    """Properties of a network that are known before it is built.

    Attributes:
        name: The name in configurations, in run directories and in its library.
        library: Name of the `BackboneLibrary` that builds it.
        heads: Names of the modules that make up the head (more than one in distilled transformers).
        n_parameters: Published number of parameters with 1000 classes, or None where none is published.
        mean: Mean of the training images' channels R, G and B, on a scale of 0..1; subtracted from the input.
        std: Their standard deviation; divides the input.
        input_size: (height, width) in pixels if the network accepts no other size, else None.
    """

    name: str
    library: str
    heads: tuple[str, ...]
    n_parameters: int | None = None
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[float, float, float] = _IMAGENET_STD
    input_size: tuple[int, int] | None = None


class BackboneLibrary(Protocol):
    """A source of networks and of their pretrained weights.

    A library is a module of `mds_lightning.models.backbones.libraries` with an instance named `LIBRARY`.
    Importing the module must not import the library itself, which takes seconds.

    Attributes:
        name: Name in `Backbone.library` and in messages.
        backbones: The networks that have a file in `conf/backbone`, by name. Their names take precedence over
            those that other libraries find.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def backbones(self) -> Mapping[str, Backbone]: ...  # noqa: D102

    def list_names(self) -> Sequence[str]:
        """Every name that can be built, for suggestions in error messages."""

    def find(self, name: str) -> Backbone | None:
        """Describe a network, or return None if the library has none of that name.

        Raises:
            ValueError: The library has it, but it cannot be used as a backbone.
        """

    def create(self, backbone: Backbone, num_classes: int, dropout: float) -> nn.Module:
        """Build a network with random weights, drawn from torch's global generator.

        Args:
            backbone: A result of `find`.
            num_classes: Number of logits.
            dropout: Fraction of the features dropped before the head in training, 0 <= dropout < 1.

        Raises:
            ValueError: The network cannot be built with these arguments.
        """

    def fetch_weights(self, backbone: Backbone) -> Mapping[str, Tensor]:
        """Return the published pretrained state dict, from the library's cache or its server.

        Raises:
            WeightsError: There are none, or they are not cached and cannot be downloaded.
        """
