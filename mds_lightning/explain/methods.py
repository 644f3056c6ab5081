"""Other ways to explain, through captum, in the same form as occlusion maps, so that a reader can compare."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam
from captum.attr import Occlusion as CaptumOcclusion
from torch import Tensor, nn

from mds_lightning.explain.crop_occlusion import Part, map_parts
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.occlusion import ImportanceMaps, OcclusionEngine
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.explain.score import score_classes
from mds_lightning.explain.windows import place_windows

_STEPS = 32
_BATCH = 8


@dataclass(frozen=True)
class Explanation:
    """Maps of some images by one method.

    Attributes:
        importance: (n, targets, H, W), float32; positive where a pixel speaks for the target.
        probabilities: (n, classes), float32: of the whole images.
        occlusion: What the engine found beside; None for the other methods.
    """

    importance: Tensor
    probabilities: Tensor
    occlusion: ImportanceMaps | None = None


def make_engine(
    model: nn.Module, parameters: ExplanationParameters, mean: Tensor | None = None
) -> OcclusionEngine:
    """The engine that `explain` wants for these parameters.

    Args:
        model: See `OcclusionEngine`.
        parameters: `precision` and `memory_gb` count.
        mean: The data set's mean colour, for baseline `mean`.
    """
    return OcclusionEngine(model, mean=mean, memory=parameters.memory, precision=parameters.precision)


def explain(
    engine: OcclusionEngine,
    images: Tensor,
    parameters: ExplanationParameters,
    targets: Sequence[int] | None = None,
) -> Explanation:
    """Importance by the method of `parameters`.

    Args:
        engine: Of the model; see `make_engine`.
        images: Shape (n, 3, H, W), as the model takes them.
        parameters: See `ExplanationParameters`.
        targets: Classes; None: all.

    Raises:
        ValueError: The method does not go with the network, or the windows not with the images.
    """
    how = parameters
    if how.method == "occlusion":
        maps = engine.maps(
            images,
            targets=targets,
            window=how.window,
            stride=how.stride,
            baseline=how.baseline,
            score=how.score,
            mode=how.mode,
            tolerance=how.tolerance,
        )
        return Explanation(maps.importance.float(), maps.probabilities.float(), maps)
    makers: dict[str, Callable[..., Tensor]] = {
        "captum_occlusion": _occlude,
        "integrated_gradients": _integrate,
        "layer_gradcam": _weigh_features,
    }
    with evaluating(engine.model):
        inputs, covers = engine.prepare(images, how.baseline)
        probabilities = score_classes(engine.network(inputs), "probability")

        def forward(x: Tensor) -> Tensor:
            return score_classes(engine.network(x), how.score)

        sides: dict[str, Any] = {}
        if how.method == "captum_occlusion":
            grid = place_windows(images.shape[2], images.shape[3], how.windows[0], how.stride)
            sides = {"window": min(grid.window, *images.shape[2:]), "stride": grid.stride}
        chosen = range(probabilities.shape[1]) if targets is None else targets
        made = [
            makers[how.method](engine.network, forward, inputs, covers, target, **sides) for target in chosen
        ]
    return Explanation(torch.stack(made, 1).detach().float(), probabilities.float())


def explain_parts(
    engine: OcclusionEngine, field: Tensor, parts: Iterable[Part], parameters: ExplanationParameters
) -> Explanation:
    """Maps of one field whose verdict is the mean over its parts; see `map_parts`.

    Args:
        engine: Of the model.
        field: The whole field, (3, H, W).
        parts: All of them.
        parameters: See `refuse_parts`.
    """
    how = parameters
    refuse_parts(how)
    maps = map_parts(
        engine, field, parts, window=how.windows[0], stride=how.stride, baseline=how.baseline, score=how.score
    )
    return Explanation(maps.importance.float(), maps.probabilities.float(), maps)


def refuse_parts(parameters: ExplanationParameters) -> None:
    """Raise if fields that are judged part by part cannot be explained so.

    Raises:
        ValueError: Only exact occlusion maps of one window size are made of them.
    """
    plain = (parameters.method, parameters.mode, parameters.precision) == ("occlusion", "exact", "full")
    if not plain or len(parameters.windows) > 1:
        raise ValueError(
            "fields that are seen part by part (data.view=tiles or multi_scale) are explained by "
            "explain.method=occlusion with explain.mode=exact, explain.precision=full and one explain.window"
        )


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
