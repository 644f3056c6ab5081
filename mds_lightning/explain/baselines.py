"""What replaces the pixels under a window."""

from typing import TypeAlias, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from mds_lightning.explain.setting_types import BaselineName

Baseline: TypeAlias = BaselineName | Tensor

#: Pixels brighter than this fraction of an image's range of brightness count as light.
_LIGHT = 0.6
_COLOUR_BINS = 32
#: Standard deviation of the blur as a fraction of the longer side, large enough to remove nuclei.
_BLUR = 0.04


def cover(images: Tensor, baseline: Baseline, mean: Tensor | None = None) -> Tensor | None:
    """Compute the pixels that replace those of `images` under a window.

    Args:
        images: Of shape (n, 3, H, W), uint8 or floating point.
        baseline: A name, or a tensor that broadcasts to `images` and is on their scale: a colour of shape
            (3,), or an image.
        mean: Mean colour of the training images on the scale of `images`, shape (3,); for `mean` alone.

    Returns:
        Shape of `images`, their dtype and device (rounded where that is uint8); None for `zero`, which is
        defined after normalisation only.

    Raises:
        ValueError: An unknown name, `mean` without a mean colour, or a tensor that does not fit.
    """
    if isinstance(baseline, Tensor):
        return _fill(images, baseline)
    if baseline == "zero":
        return None
    if baseline == "mean":
        if mean is None:
            raise ValueError(
                "baseline 'mean' needs the mean colour of the training images: give "
                "OcclusionEngine(model, mean=COLOUR), or choose baseline 'background'"
            )
        return _fill(images, mean)
    if baseline == "background":
        return _fill(images, torch.stack([background_colour(image) for image in images])[:, :, None, None])
    if baseline == "blur":
        return _fill(images, _blur(images))
    raise ValueError(
        f"baseline is {baseline!r}: choose one of {', '.join(get_args(BaselineName))}, or a tensor"
    )


def background_colour(image: Tensor) -> Tensor:
    """The most frequent colour among the light pixels: the glass between the cells.

    Args:
        image: Shape (3, H, W).

    Returns:
        Shape (3,), float32, on the scale of `image`.
    """
    pixels = image.flatten(1).float()
    brightness = pixels.mean(0)
    low, high = brightness.aminmax()
    light = pixels[:, brightness >= low + _LIGHT * (high - low)]
    floor, ceiling = light.amin(1, keepdim=True), light.amax(1, keepdim=True)
    span = (ceiling - floor).clamp_min(torch.finfo(torch.float32).tiny)
    bins = ((light - floor) / span * _COLOUR_BINS).long().clamp_max(_COLOUR_BINS - 1)
    code = (bins[0] * _COLOUR_BINS + bins[1]) * _COLOUR_BINS + bins[2]
    most_frequent = torch.bincount(code, minlength=_COLOUR_BINS**3).argmax()
    return light[:, code == most_frequent].mean(1)


def _blur(images: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    sigma = max(1.0, _BLUR * max(height, width))
    # Reflection padding is limited to the size of the image.
    radius = min(round(3 * sigma), height - 1, width - 1)
    offsets = torch.arange(-radius, radius + 1, device=images.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    channels = images.shape[1]
    padded = F.pad(images.float(), (radius, radius, radius, radius), mode="reflect")
    across = F.conv2d(padded, kernel.expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(across, kernel[:, None].expand(channels, 1, -1, 1), groups=channels)


def _fill(images: Tensor, value: Tensor) -> Tensor:
    if value.ndim == 1:
        value = value[:, None, None]
    try:
        filled = value.to(images.device).expand_as(images)
    except RuntimeError:
        raise ValueError(
            f"baseline of shape {tuple(value.shape)} does not fit images of shape {tuple(images.shape)}: "
            "give a colour of shape (3,) or an image of the same size"
        ) from None
    if images.dtype == torch.uint8:
        filled = filled.float().round().clamp(0, 255)
    return filled.to(images.dtype)
