"""Other ways to explain, through captum, in the same form as occlusion maps, so that a reader can compare."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, get_args

import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam
from captum.attr import Occlusion as CaptumOcclusion
from torch import Tensor, nn

from mds_lightning.explain.baselines import Baseline
from mds_lightning.explain.mode import evaluating
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.score import Score, score_classes
from mds_lightning.explain.windows import Length, place_windows

#: occlusion: our engine; captum_occlusion: the reference that it is tested against, a full pass a window and
#: class.
Method: TypeAlias = Literal["occlusion", "captum_occlusion", "integrated_gradients", "layer_gradcam"]

_STEPS = 32
_BATCH = 8


def explain(
    engine: OcclusionEngine,
    images: Tensor,
    method: Method,
    *,
    targets: Sequence[int],
    window: Length = 0.125,
    stride: Length = 0.0625,
    baseline: Baseline = "background",
    score: Score = "probability",
) -> Tensor:
    """Importance by one of the methods.

    Args:
        engine: Of the model.
        images: Shape (n, 3, H, W), as the model takes them.
        method: Which.
        targets: Classes.
        window: Of the occlusion methods.
        stride: Likewise.
        baseline: What covers a patch; for integrated gradients where the path begins.
        score: What is explained.

    Returns:
        Shape (n, targets, H, W), float32; positive where a pixel speaks for the class.

    Raises:
        ValueError: An unknown method.
    """
    if method == "occlusion":
        maps = engine.maps(
            images, targets=targets, window=window, stride=stride, baseline=baseline, score=score
        )
        return maps.importance.float()
    makers: dict[str, Callable[..., Tensor]] = {
        "captum_occlusion": _occlude,
        "integrated_gradients": _integrate,
        "layer_gradcam": _weigh_features,
    }
    if method not in makers:
        raise ValueError(f"method is {method!r}: choose one of {', '.join(get_args(Method))}")
    with evaluating(engine.model):
        inputs, covers = engine.prepare(images, baseline)

        def forward(x: Tensor) -> Tensor:
            return score_classes(engine.network(x), score)

        sides: dict[str, Any] = {}
        if method == "captum_occlusion":
            grid = place_windows(images.shape[2], images.shape[3], window, stride)
            sides = {"window": min(grid.window, *images.shape[2:]), "stride": grid.stride}
        made = [
            makers[method](engine.network, forward, inputs, covers, target, **sides) for target in targets
        ]
    return torch.stack(made, 1).detach().float()


def _occlude(
    network: nn.Module,
    forward: Callable[[Tensor], Tensor],
    inputs: Tensor,
    covers: Tensor,
    target: int,
    window: int,
    stride: int,
) -> Tensor:
    del network
    channels = inputs.shape[1]
    found: Tensor = CaptumOcclusion(forward).attribute(
        inputs,
        (channels, window, window),
        (channels, stride, stride),
        baselines=covers,
        target=target,
        perturbations_per_eval=_BATCH,
    )
    return found[:, 0]


def _integrate(
    network: nn.Module, forward: Callable[[Tensor], Tensor], inputs: Tensor, covers: Tensor, target: int
) -> Tensor:
    del network
    with torch.enable_grad():
        found: Tensor = IntegratedGradients(forward).attribute(
            inputs, covers, target=target, n_steps=_STEPS, internal_batch_size=max(_BATCH, len(inputs))
        )
    return found.sum(1)


def _weigh_features(
    network: nn.Module, forward: Callable[[Tensor], Tensor], inputs: Tensor, covers: Tensor, target: int
) -> Tensor:
    del covers
    layer = last_feature_layer(network, inputs[:1])
    with torch.enable_grad():
        coarse = LayerGradCam(forward, layer).attribute(
            inputs.clone().requires_grad_(), target=target, relu_attributions=False
        )
    assert isinstance(coarse, Tensor)
    fine = LayerAttribution.interpolate(coarse.detach(), tuple(inputs.shape[2:]), "bilinear")
    return fine[:, 0]


def last_feature_layer(network: nn.Module, inputs: Tensor) -> nn.Module:
    """The last convolution or batch norm whose output is a map of more than one pixel.

    Raises:
        ValueError: There is none, as in a transformer.
    """
    found: list[nn.Module] = []

    def look(module: nn.Module, _arguments: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2:].numel() > 1:
            found.append(module)

    hooks = [
        module.register_forward_hook(look)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    try:
        with torch.no_grad():
            network(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        raise ValueError(
            "the network has no convolution whose map layer_gradcam could weigh: choose occlusion"
        )
    return found[-1]
