"""Occlusion maps by captum: a full pass per window and class, the reference for the incremental engine."""

from collections.abc import Callable

from torch import Tensor, nn

from mds_lightning.explain.explanation_method import PerClassMethod
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.explain.windows import place_windows

#: Covered images per forward pass.
_BATCH = 8


class CaptumOcclusion(PerClassMethod):
    """`captum.attr.Occlusion` with the windows of method `occlusion`."""

    name = "captum_occlusion"
    title = "Occlusion sensitivity (captum)"
    description = (
        "A square window of the image is covered, and the drop of the score is the importance of the "
        "window; computed by captum."
    )
    settings = frozenset({"window", "stride", "baseline"})

    def check_settings(self, parameters: ExplanationParameters) -> None:
        """Raise if a setting does not go with this method.

        Raises:
            ValueError: Several window sizes are set.
        """
        super().check_settings(parameters)
        if len(parameters.windows) > 1:
            raise ValueError("explain.window: captum_occlusion takes one size; occlusion averages several")

    def attribute(
        self,
        network: nn.Module,  # noqa: ARG002
        forward: Callable[[Tensor], Tensor],
        inputs: Tensor,
        covers: Tensor,
        target: int,
        parameters: ExplanationParameters,
    ) -> Tensor:
        """See `PerClassMethod.attribute`."""
        # Loading captum takes about a second, and most commands do not need it.
        from captum.attr import Occlusion

        height, width = inputs.shape[2:]
        grid = place_windows(height, width, parameters.windows[0], parameters.stride)
        channels, window = inputs.shape[1], min(grid.window, height, width)
        drops: Tensor = Occlusion(forward).attribute(
            inputs,
            (channels, window, window),
            (channels, grid.stride, grid.stride),
            baselines=covers,
            target=target,
            perturbations_per_eval=_BATCH,
        )
        return drops[:, 0]
