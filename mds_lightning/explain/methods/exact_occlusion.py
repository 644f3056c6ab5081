"""Occlusion maps by the incremental engine; the default method."""

from collections.abc import Iterable, Sequence

from torch import Tensor

from mds_lightning.explain.crop_occlusion import Crop, map_crops
from mds_lightning.explain.explanation_method import Explanation, ExplanationMethod
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.parameters import ExplanationParameters


class ExactOcclusion(ExplanationMethod):
    """Drop of the score when a window is covered; see `OcclusionEngine.maps`."""

    name = "occlusion"
    title = "Occlusion sensitivity"
    description = (
        "A square window of the image is covered, and the drop of the score is the importance of the window."
    )
    settings = frozenset({"window", "stride", "baseline", "precision", "least_drop"})

    def check_crops(self, parameters: ExplanationParameters) -> None:
        """Raise unless one window size and full precision are set.

        Raises:
            ValueError: There are several, or precision is reduced.
        """
        if parameters.precision != "full" or len(parameters.windows) > 1:
            raise ValueError(
                "images that are classified crop by crop (data.view=tiles or multi_scale) are explained with "
                "explain.precision=full and one explain.window only"
            )

    def explain(
        self,
        engine: OcclusionEngine,
        images: Tensor,
        parameters: ExplanationParameters,
        targets: Sequence[int] | None = None,
    ) -> Explanation:
        """See `ExplanationMethod.explain`."""
        maps = engine.maps(
            images,
            targets=targets,
            window=parameters.window,
            stride=parameters.stride,
            baseline=parameters.baseline,
            score=parameters.score,
        )
        return Explanation(maps.importance.float(), maps.probabilities.float(), maps)

    def explain_crops(
        self, engine: OcclusionEngine, image: Tensor, crops: Iterable[Crop], parameters: ExplanationParameters
    ) -> Explanation:
        """See `ExplanationMethod.explain_crops`."""
        self.check_crops(parameters)
        maps = map_crops(
            engine,
            image,
            crops,
            window=parameters.windows[0],
            stride=parameters.stride,
            baseline=parameters.baseline,
            score=parameters.score,
        )
        return Explanation(maps.importance.float(), maps.probabilities.float(), maps)
