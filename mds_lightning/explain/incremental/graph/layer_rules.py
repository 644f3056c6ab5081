"""Rules for layers that are known to be local.

A rule returns the value of the node, or None where it does not apply; then the node runs on whole maps.
"""

import copy
import inspect
import operator
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mds_lightning.explain.incremental.graph.node_values import (
    Call,
    Mean,
    Spatial,
    is_constant,
    is_plain,
    pair,
)
from mds_lightning.explain.incremental.graph.program_builder import Builder, batch_norm_terms
from mds_lightning.explain.incremental.program.pooling import Pooling


def convolve(builder: Builder, call: Call) -> Any:
    """Convolution with zero padding and weights that do not depend on the input."""
    names = ("weight", "bias", "stride", "padding", "dilation", "groups")
    given = call.given(*names, stride=1, padding=0, dilation=1, groups=1)
    weight, bias, padding = given["weight"], given["bias"], given["padding"]
    if not is_constant(weight) or not (bias is None or is_constant(bias)):
        return None
    if getattr(call.target, "padding_mode", "zeros") != "zeros":
        return None
    x, steps = call.subject, pair(given["dilation"])
    if isinstance(padding, str):
        taps = weight.shape[2:]
        total = [step * (n - 1) * (padding == "same") for step, n in zip(steps, taps, strict=True)]
        top, left = (extra // 2 for extra in total)
        x = builder.padding(call.name, x, (left, total[1] - left, top, total[0] - top), 0.0)
        padding = 0
    return builder.convolution(
        call.name, x, weight, bias, pair(given["stride"]), pair(padding), steps, given["groups"]
    )


def normalise(builder: Builder, call: Call) -> Any:
    """Batch norm with stored statistics."""
    given = call.given(
        "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps", eps=1e-5
    )
    mean, variance = given["running_mean"], given["running_var"]
    if given["training"] or not is_constant(mean) or not is_constant(variance):
        return None
    scale, shift = batch_norm_terms(mean, variance, given["weight"], given["bias"], given["eps"])
    return builder.affine(call.name, call.subject, scale, shift)


def pool_maximum(builder: Builder, call: Call) -> Any:
    """Maximum pooling."""
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    given = call.given(*names, padding=0, dilation=1, ceil_mode=False)
    if given["return_indices"]:
        return None
    return _pool(builder, call, given, kind="maximum", dilation=pair(given["dilation"]))


def pool_mean(builder: Builder, call: Call) -> Any:
    """Mean pooling."""
    names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    given = call.given(*names, padding=0, ceil_mode=False, count_include_pad=True)
    counts, divisor = bool(given["count_include_pad"]), given["divisor_override"]
    return _pool(builder, call, given, kind="mean", counts_padding=counts, divisor=divisor)


def _pool(builder: Builder, call: Call, given: Mapping[str, Any], **options: Any) -> Any:
    kernel = pair(given["kernel_size"])
    make = partial(
        Pooling,
        kernel=kernel,
        stride=pair(given["stride"]) if given["stride"] else kernel,
        padding=pair(given["padding"]),
        ceil_mode=bool(given["ceil_mode"]),
        **options,
    )
    return builder.pooling(make, call.name, call.subject, tuple(call.result.shape[2:]))


def pool_adaptively(builder: Builder, call: Call) -> Any:
    """Mean pooling to a size that divides the map's, or to one pixel."""
    x, requested = call.subject, call.given("output_size")["output_size"]
    sizes = (requested, requested) if isinstance(requested, int) else requested
    goal = tuple(length if size is None else size for size, length in zip(sizes, x.size, strict=True))
    if goal == (1, 1):
        return Mean(x, keeps_axes=True)
    if any(length % size for length, size in zip(x.size, goal, strict=True)):
        return None
    kernel = tuple(length // size for length, size in zip(x.size, goal, strict=True))
    make = partial(Pooling, kind="mean", kernel=pair(kernel), stride=pair(kernel), padding=(0, 0))
    return builder.pooling(make, call.name, x, pair(goal))


def average(builder: Builder, call: Call) -> Any:
    """Mean over height and width."""
    del builder
    given = call.given("dim", "keepdim", "dtype")
    axes = given["dim"]
    if (
        not isinstance(axes, tuple | list)
        or {axis % 4 for axis in axes} != {2, 3}
        or given["dtype"] is not None
    ):
        return None
    return Mean(call.subject, bool(given["keepdim"]))


def pad(builder: Builder, call: Call) -> Any:
    """Constant padding of height and width."""
    if isinstance(call.target, nn.Module):
        given = call.given("padding", "value")
        widths = given["padding"]
    else:
        given = call.given("pad", "mode", "value", mode="constant")
        widths = given["pad"]
        if given["mode"] != "constant":
            return None
    if len(widths) not in (2, 4):
        return None
    left, right, top, bottom = (*widths, 0, 0)[:4]
    return builder.padding(call.name, call.subject, (left, right, top, bottom), float(given["value"] or 0))


def apply(builder: Builder, call: Call) -> Any:
    """A pointwise function with plain options, out of place."""
    target, others, options = call.target, tuple(call.arguments[1:]), dict(call.options)
    if isinstance(target, nn.Module):
        function: Any = copy.copy(target)
        if hasattr(target, "inplace"):
            function.inplace = False
        knows_channels = isinstance(target, nn.PReLU) and target.num_parameters > 1
        return builder.pointwise(
            call.name, call.subject, function, isinstance(target, nn.ReLU), knows_channels
        )
    if not is_plain(others) or not is_plain(tuple(options.values())):
        return None
    name = target if isinstance(target, str) else target.__name__
    if name in ("relu", "relu_"):
        return builder.pointwise(call.name, call.subject, torch.relu, is_relu=True)
    if isinstance(target, str):
        function = partial(_call_method, name=name.rstrip("_"), others=others, options=options)
        return builder.pointwise(call.name, call.subject, function)
    if inspect.isfunction(target):
        bound = inspect.signature(target).bind(call.subject, *others, **options).arguments
        others, options = (), {key: value for key, value in [*bound.items()][1:] if key != "inplace"}
    return builder.pointwise(call.name, call.subject, lambda x: target(x, *others, **options))


def _call_method(x: Tensor, name: str, others: tuple[Any, ...], options: Mapping[str, Any]) -> Tensor:
    result: Tensor = getattr(x, name)(*others, **options)
    return result


def combine(symbol: str, builder: Builder, call: Call) -> Any:
    """Arithmetic on two maps of one size, or on a map and numbers that are the same everywhere."""
    function = getattr(operator, symbol)
    if call.options or len(call.arguments) != 2:
        return None
    x, y = call.arguments
    if isinstance(x, Spatial) and isinstance(y, Spatial):
        if x.shape != y.shape:
            return None
        return builder.binary(call.name, x, y, function, is_sum=symbol == "add")
    swapped = isinstance(y, Spatial)
    x, other = (y, x) if swapped else (x, y)
    if is_constant(other):
        if other.dtype != builder.dtype and other.ndim:
            return None
        # One number a channel, or one for all; anything else differs from place to place.
        if other.ndim and (other.numel() != 1 and (other.ndim not in (3, 4) or other.shape[-2:] != (1, 1))):
            return None
        if other.ndim == 4 and other.shape[0] != 1:
            return None
        other = other.detach().reshape(-1, 1, 1) if other.ndim else other.detach()
    elif not isinstance(other, int | float):
        return None
    knows = isinstance(other, Tensor)
    if swapped:
        return builder.pointwise(call.name, x, lambda z: function(other, z), knows_channels=knows)
    return builder.pointwise(call.name, x, lambda z: function(z, other), knows_channels=knows)


def drop(builder: Builder, call: Call) -> Any:
    """Dropout of any kind, which does nothing in evaluation mode."""
    del builder
    if isinstance(call.target, nn.Module):
        return None if call.target.training else call.subject
    names = ("p", "mode", "training") if call.target.__name__ == "stochastic_depth" else ("p", "training")
    return call.subject if call.given(*names, training=True)["training"] is False else None
