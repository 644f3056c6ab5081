"""Integrated gradients (Sundararajan, Taly and Yan, ICML 2017) by captum."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mds_lightning.explain.explanation_method import PerClassMethod
from mds_lightning.explain.parameters import ExplanationParameters

#: Points on the path from the baseline to the image.
_STEPS = 32
_BATCH = 8


class IntegratedGradients(PerClassMethod):
    """`captum.attr.IntegratedGradients`, summed over the colour channels."""

    name = "integrated_gradients"
    title = "Integrated gradients"
    description = "Gradients of the score are averaged along a straight path from the baseline to the image."
    settings = frozenset({"baseline"})

    def attribute(
        self,
        network: nn.Module,  # noqa: ARG002
        forward: Callable[[Tensor], Tensor],
        inputs: Tensor,
        covers: Tensor,
        target: int,
        parameters: ExplanationParameters,  # noqa: ARG002
    ) -> Tensor:
        """See `PerClassMethod.attribute`."""
        # Loading captum takes about a second, and most commands do not need it.
        from captum.attr import IntegratedGradients as CaptumIntegratedGradients

        with torch.enable_grad():
            gradients: Tensor = CaptumIntegratedGradients(forward).attribute(
                inputs, covers, target=target, n_steps=_STEPS, internal_batch_size=max(_BATCH, len(inputs))
            )
        return gradients.sum(1)
