"""Grad-CAM (Selvaraju et al., ICCV 2017) of the last convolutional feature map, by captum."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mds_lightning.explain.explanation_method import PerClassMethod
from mds_lightning.explain.parameters import ExplanationParameters


class LayerGradCam(PerClassMethod):
    """`captum.attr.LayerGradCam` without its ReLU, interpolated to the size of the image."""

    name = "layer_gradcam"
    title = "Grad-CAM"
    description = (
        "The last convolutional feature map is weighted by the gradients of the score and enlarged to "
        "the size of the image."
    )

    def check_network(self, network: nn.Module, inputs: Tensor) -> None:
        """Raise if the network has no convolutional feature map.

        Raises:
            ValueError: It has none.
        """
        last_feature_layer(network, inputs)

    def attribute(
        self,
        network: nn.Module,
        forward: Callable[[Tensor], Tensor],
        inputs: Tensor,
        covers: Tensor,  # noqa: ARG002
        target: int,
        parameters: ExplanationParameters,  # noqa: ARG002
    ) -> Tensor:
        """See `PerClassMethod.attribute`."""
        # Loading captum takes about a second, and most commands do not need it.
        from captum.attr import LayerAttribution
        from captum.attr import LayerGradCam as CaptumLayerGradCam

        layer = last_feature_layer(network, inputs[:1])
        with torch.enable_grad():
            coarse = CaptumLayerGradCam(forward, layer).attribute(
                inputs.clone().requires_grad_(), target=target, relu_attributions=False
            )
        assert isinstance(coarse, Tensor)
        fine = LayerAttribution.interpolate(coarse.detach(), tuple(inputs.shape[2:]), "bilinear")
        return fine[:, 0]


def last_feature_layer(network: nn.Module, inputs: Tensor) -> nn.Module:
    """The last convolution or batch norm whose output has more than one pixel.

    Args:
        network: In evaluation mode.
        inputs: At least one image as the network takes it, (n, 3, H, W).

    Raises:
        ValueError: There is none, as in a transformer.
    """
    layers: list[nn.Module] = []

    def record(module: nn.Module, _arguments: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2:].numel() > 1:
            layers.append(module)

    hooks = [
        module.register_forward_hook(record)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    try:
        with torch.no_grad():
            network(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    if not layers:
        raise ValueError(
            "explain.method=layer_gradcam needs a convolutional feature map, and the network has none: "
            "set explain.method=occlusion"
        )
    return layers[-1]
