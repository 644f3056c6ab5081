"""Explains images with one model as `ExplanationParameters` say."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from mds_lightning.explain.crop_occlusion import Crop
from mds_lightning.explain.explanation_method import Explanation
from mds_lightning.explain.faithfulness import measure_faithfulness
from mds_lightning.explain.faithfulness_curves import FaithfulnessCurves
from mds_lightning.explain.method_registry import find_method
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.parameters import ExplanationParameters


class Explainer:
    """One model and the settings by which it is explained.

    Args:
        model: See `OcclusionEngine`.
        parameters: The settings.
        mean: Mean colour of the training images, (3,), for baseline `mean`.
    """

    def __init__(
        self, model: nn.Module, parameters: ExplanationParameters, mean: Tensor | None = None
    ) -> None:
        self.parameters = parameters
        self.engine = OcclusionEngine(
            model, mean=mean, memory=parameters.memory, precision=parameters.precision
        )
        self._method = find_method(parameters.method)

    def explain(self, images: Tensor, targets: Sequence[int] | None = None) -> Explanation:
        """Importance maps of images (n, 3, H, W), as the model takes them; `targets` None: all classes.

        Raises:
            ValueError: The method does not work with the network, or the windows do not fit the images.
        """
        return self._method.explain(self.engine, images, self.parameters, targets)

    def explain_crops(self, image: Tensor, crops: Iterable[Crop]) -> Explanation:
        """Importance maps of one image (3, H, W) whose prediction is the mean over its crops.

        Raises:
            ValueError: The method, or a setting, does not support it.
        """
        return self._method.explain_crops(self.engine, image, crops, self.parameters)

    def measure_faithfulness(
        self, image: Tensor, importance: Tensor, target: int, seed: int
    ) -> FaithfulnessCurves:
        """Deletion and insertion curves of one map (H, W) of one image (3, H, W)."""
        baseline, score = self.parameters.baseline, self.parameters.score
        return measure_faithfulness(
            self.engine, image, importance, target, baseline=baseline, score=score, seed=seed
        )
