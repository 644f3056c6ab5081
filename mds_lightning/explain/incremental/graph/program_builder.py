"""Appends operations to a program, each with its input channels in the order with the fewest copies."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mds_lightning.explain.incremental.graph.node_values import Spatial
from mds_lightning.explain.incremental.program.channels import Channels, Indices
from mds_lightning.explain.incremental.program.convolution import Convolution
from mds_lightning.explain.incremental.program.operations import (
    Affine,
    Binary,
    Operation,
    Padding,
    Pointwise,
    Source,
)
from mds_lightning.explain.incremental.program.pooling import Pooling
from mds_lightning.explain.incremental.program.program import INPUT


class Builder:
    """Collects the operations of one network.

    Args:
        shape: (channels, height, width) of the input.
        dtype: Of the input, and of every map.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.operations: list[Operation] = []
        self.shapes = {INPUT: shape}
        self.input = Spatial(Channels.whole(INPUT, shape[0]), shape[1:])

    def convolution(
        self,
        label: str,
        x: Spatial,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, int],
        padding: tuple[int, int],
        dilation: tuple[int, int],
        groups: int,
    ) -> Spatial:
        """Convolution with zero padding."""
        weight = weight.detach()
        count = weight.shape[0]
        bias = weight.new_zeros(count) if bias is None else bias.detach()
        depthwise = groups == len(x.channels) == count
        order = x.channels.arrange() if groups == 1 or depthwise else np.arange(len(x.channels))
        if (order != np.arange(len(order))).any():
            weight, bias = (weight[order], bias[order]) if depthwise else (weight[:, order], bias)
        size = tuple(
            (length + 2 * before - step * (taps - 1) - 1) // jump + 1
            for length, before, step, taps, jump in zip(
                x.size, padding, dilation, weight.shape[2:], stride, strict=True
            )
        )
        output = self._register((count, size[0], size[1]))
        self.operations.append(
            Convolution(
                label=label, inputs=self._read(x, order), output=output, shape=self.shapes[output],
                weight=weight, bias=bias, stride=stride, padding=padding, dilation=dilation, groups=groups,
            )
        )  # fmt: skip
        return self._result(output, order if depthwise else np.arange(count))

    def affine(self, label: str, x: Spatial, scale: Tensor, shift: Tensor) -> Spatial:
        """Scale and shift of every channel."""
        order = x.channels.arrange()
        output = self._register(x.shape)
        self.operations.append(
            Affine(
                label=label, inputs=self._read(x, order), output=output, shape=x.shape,
                scale=scale.detach()[order], shift=shift.detach()[order],
            )
        )  # fmt: skip
        return self._result(output, order)

    def pointwise(
        self,
        label: str,
        x: Spatial,
        function: Callable[[Tensor], Tensor],
        is_relu: bool = False,
        knows_channels: bool = False,
    ) -> Spatial:
        """A function of single pixels; one with `knows_channels` needs the channels in the graph's order."""
        order = np.arange(len(x.channels)) if knows_channels else x.channels.arrange()
        output = self._register(x.shape)
        self.operations.append(
            Pointwise(
                label=label, inputs=self._read(x, order), output=output, shape=x.shape,
                function=function, is_relu=is_relu,
            )
        )  # fmt: skip
        return self._result(output, order)

    def binary(
        self,
        label: str,
        x: Spatial,
        y: Spatial,
        function: Callable[[Tensor, Tensor], Tensor],
        is_sum: bool = False,
    ) -> Spatial:
        """A function of two maps of one size."""
        order = x.channels.arrange()
        output = self._register(x.shape)
        sources = tuple(side.channels.take(order).segments() for side in (x, y))
        self.operations.append(
            Binary(
                label=label, inputs=sources, output=output, shape=x.shape, function=function, is_sum=is_sum
            )
        )  # fmt: skip
        return self._result(output, order)

    def pooling(
        self, pooling: Callable[..., Pooling], label: str, x: Spatial, size: tuple[int, int]
    ) -> Spatial:
        """Pooling to `size`; `pooling` lacks only inputs and output."""
        order = x.channels.arrange()
        output = self._register((len(x.channels), *size))
        self.operations.append(
            pooling(
                label=label, inputs=self._read(x, order), output=output, shape=self.shapes[output]
            )
        )  # fmt: skip
        return self._result(output, order)

    def padding(self, label: str, x: Spatial, widths: tuple[int, int, int, int], value: float) -> Spatial:
        """Constant padding: left, right, top, bottom."""
        order = x.channels.arrange()
        left, right, top, bottom = widths
        output = self._register((len(x.channels), x.size[0] + top + bottom, x.size[1] + left + right))
        self.operations.append(
            Padding(
                label=label, inputs=self._read(x, order), output=output, shape=self.shapes[output],
                widths=widths, value=value,
            )
        )  # fmt: skip
        return self._result(output, order)

    def _read(self, x: Spatial, order: Indices) -> tuple[Source]:
        return (x.channels.take(order).segments(),)

    def _register(self, shape: tuple[int, int, int]) -> int:
        number = len(self.shapes)
        self.shapes[number] = shape
        return number

    def _result(self, output: int, order: Indices) -> Spatial:
        """The output in the graph's order: channel `order[k]` is the k-th of the operation."""
        channels = Channels.whole(output, self.shapes[output][0]).take(np.argsort(order))
        return Spatial(channels, self.shapes[output][1:])


def batch_norm_terms(
    mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float
) -> tuple[Tensor, Tensor]:
    """Scale and shift of a batch norm in evaluation mode, computed in double precision."""
    scale = (variance.double() + epsilon).rsqrt()
    if weight is not None:
        scale = scale * weight.double()
    shift = -mean.double() * scale
    if bias is not None:
        shift = shift + bias.double()
    return scale.to(mean.dtype), shift.to(mean.dtype)
