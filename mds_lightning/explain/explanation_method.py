"""The interface of an explanation method."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.occlusion import ImportanceMaps, OcclusionEngine
from mds_lightning.explain.score import score_classes

if TYPE_CHECKING:
    from mds_lightning.explain.crop_occlusion import Crop
    from mds_lightning.explain.parameters import ExplanationParameters


@dataclass(frozen=True)
class Explanation:
    """Importance maps of a batch of images by one method.

    Attributes:
        importance: (n, targets, H, W), float32; positive where a pixel increases the target's score.
        probabilities: (n, classes), float32, 0..1, of the unmodified images.
        occlusion: Further results of the occlusion engine; None for other methods.
    """

    importance: Tensor
    probabilities: Tensor
    occlusion: ImportanceMaps | None = None


class ExplanationMethod(ABC):
    """One way to explain a prediction.

    A file in `explain/methods/` defines one subclass and is found there by `method_registry`. The maps of a
    run are kept in a folder called `name`.

    Attributes:
        name: Value of `explain.method` that selects the method.
        title: Name in reports, such as `Grad-CAM`.
        description: One sentence for reports on how importance is computed.
        settings: Keys of `ExplanationParameters` that change its maps, besides method, score and target.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    settings: ClassVar[frozenset[str]] = frozenset()

    def check_settings(self, parameters: "ExplanationParameters") -> None:
        """Raise if a setting does not go with this method.

        Raises:
            ValueError: Names the setting and the remedy.
        """
        if parameters.precision != "full" and "precision" not in self.settings:
            raise ValueError(
                f"explain.precision={parameters.precision} works with explain.method=occlusion only: "
                f"with {self.name} set explain.precision=full"
            )

    def check_crops(self, parameters: "ExplanationParameters") -> None:  # noqa: ARG002 (for overriding)
        """Raise if a prediction that is averaged over crops of an image cannot be explained.

        Raises:
            ValueError: It cannot, as is the default.
        """
        raise ValueError(
            f"explain.method={self.name} cannot explain images that are classified crop by crop "
            "(data.view=tiles or multi_scale): set explain.method=occlusion"
        )

    def check_network(self, network: nn.Module, inputs: Tensor) -> None:  # noqa: B027 (optional)
        """Raise if the method does not work with this network.

        Args:
            network: In evaluation mode.
            inputs: One image as the network takes it, (1, 3, H, W).

        Raises:
            ValueError: It does not.
        """

    @abstractmethod
    def explain(
        self,
        engine: OcclusionEngine,
        images: Tensor,
        parameters: "ExplanationParameters",
        targets: Sequence[int] | None = None,
    ) -> Explanation:
        """Compute importance maps.

        Args:
            engine: Of the model; prepares images and covers.
            images: (n, 3, H, W), as the model takes them.
            parameters: Settings that `check_settings` accepts.
            targets: Classes; None: all.

        Raises:
            ValueError: The method does not work with the network, or the windows do not fit the images.
        """

    def explain_crops(
        self,
        engine: OcclusionEngine,  # noqa: ARG002 (for overriding)
        image: Tensor,  # noqa: ARG002
        crops: "Iterable[Crop]",  # noqa: ARG002
        parameters: "ExplanationParameters",
    ) -> Explanation:
        """Compute importance maps of one image whose prediction is the mean over its crops.

        Args:
            engine: Of the model, which classifies crops.
            image: The whole image, (3, H, W).
            crops: All crops of the image.
            parameters: Settings that `check_crops` accepts.

        Raises:
            ValueError: The method cannot do so.
        """
        self.check_crops(parameters)
        raise NotImplementedError


class PerClassMethod(ExplanationMethod):
    """A method that computes the map of one class at a time."""

    def explain(
        self,
        engine: OcclusionEngine,
        images: Tensor,
        parameters: "ExplanationParameters",
        targets: Sequence[int] | None = None,
    ) -> Explanation:
        """See `ExplanationMethod.explain`."""

        def forward(inputs: Tensor) -> Tensor:
            return score_classes(engine.network(inputs), parameters.score)

        with evaluating(engine.model):
            inputs, covers = engine.prepare(images, parameters.baseline)
            probabilities = score_classes(engine.network(inputs), "probability")
            chosen = range(probabilities.shape[1]) if targets is None else targets
            maps = [
                self.attribute(engine.network, forward, inputs, covers, target, parameters)
                for target in chosen
            ]
        return Explanation(torch.stack(maps, 1).detach().float(), probabilities.float())

    @abstractmethod
    def attribute(
        self,
        network: nn.Module,
        forward: Callable[[Tensor], Tensor],
        inputs: Tensor,
        covers: Tensor,
        target: int,
        parameters: "ExplanationParameters",
    ) -> Tensor:
        """Compute the map of one class; called in evaluation mode without gradients.

        Args:
            network: From inputs to logits.
            forward: From inputs to the score of every class, (n, classes).
            inputs: Images as the network takes them, (n, 3, H, W).
            covers: What replaces pixels, same shape.
            target: Class.
            parameters: The settings.

        Returns:
            (n, H, W).
        """
