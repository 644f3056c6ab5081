"""Convolutions with weights laid out once for the machine, where torch offers that; else as they are.

The operators are those that torch's own compiler writes for CPUs: oneDNN's, with sum and ReLU in the same
call.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from mds_lightning.explain.incremental.convolution import MOST_PARTS, Convolution
from mds_lightning.explain.incremental.operations import Affine, Operation
from mds_lightning.explain.incremental.program import Program

#: Windows, pixels beyond the kernel, and pixels in all for which oneDNN is asked to choose the layout of
#: weights.
_TYPICAL = (8, 12)
_TYPICAL_PIXELS = 1024
#: A layout chosen for one size of crop fits all others if the output channels come in such portions;
#: otherwise it may be turned into another one at every call, a hundred times slower than the convolution
#: (seen with 48 and 192).
_PORTION = 128
#: Fewer weights than this are laid out anew at every call for nothing.
_FEW_WEIGHTS = 1 << 16


@dataclass(frozen=True, eq=False, kw_only=True)
class PackedConvolution(Convolution):
    """A convolution with a neighbourhood."""

    packed: Tensor

    def _compute(self, padding: tuple[int, int], maps: tuple[Tensor, ...], may_overwrite: bool) -> Tensor:
        shape = (padding, self.stride, self.dilation, self.groups)
        x, added = (*(_last(each) for each in maps), None)[:2]
        ops: Any = torch.ops.mkldnn
        if added is None:
            relu = "relu" if self.relu else "none"
            result: Tensor = ops._convolution_pointwise(x, self.packed, self.bias, *shape, relu, [], "")
            return result
        relu_after = "relu" if self.relu else None
        rest: tuple[Any, ...] = (self.packed, self.bias, *shape, "add", 1.0, relu_after, [], "")
        if may_overwrite:
            result = ops._convolution_pointwise_.binary(added, x, *rest)
        else:
            result = ops._convolution_pointwise.binary(x, added, *rest)
        return result


@dataclass(frozen=True, eq=False, kw_only=True)
class PixelConvolution(Convolution):
    """A convolution without a neighbourhood: a product of matrices, one row a pixel.

    Attributes:
        packed: All weights.
        parts: The weights of each input segment, where there are few: their products are summed, and the
            segments need not be copied together.
    """

    packed: Tensor
    parts: tuple[Tensor, ...]

    def join(self, parts: Sequence[Tensor], *added: Tensor) -> Tensor:
        """Sum of the parts' products."""
        if not self.parts:
            return super().join(parts, *added)
        ops: Any = torch.ops.mkldnn
        windows, _, height, width = parts[0].shape
        tables = [part.permute(0, 2, 3, 1).reshape(-1, part.shape[1]) for part in parts]
        if added:
            base = added[0].permute(0, 2, 3, 1).reshape(len(tables[0]), -1)
            out: Tensor = ops._linear_pointwise.binary(tables[0], base, self.parts[0], self.bias, "add")
        else:
            out = ops._linear_pointwise(tables[0], self.parts[0], self.bias, "none", [], "")
        for table, packed in zip(tables[1:], self.parts[1:], strict=True):
            out = ops._linear_pointwise.binary(table, out, packed, None, "add")
        out = out.relu_() if self.relu else out
        return out.view(windows, height, width, -1).permute(0, 3, 1, 2)

    def _compute(self, padding: tuple[int, int], maps: tuple[Tensor, ...], may_overwrite: bool) -> Tensor:
        del padding, may_overwrite
        x = maps[0][:, :, :: self.stride[0], :: self.stride[1]]
        windows, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(-1, channels)
        ops: Any = torch.ops.mkldnn
        if len(maps) == 1:
            relu = "relu" if self.relu else "none"
            out: Tensor = ops._linear_pointwise(rows, self.packed, self.bias, relu, [], "")
        else:
            added = maps[1].permute(0, 2, 3, 1).reshape(len(rows), -1)
            out = ops._linear_pointwise.binary(rows, added, self.packed, self.bias, "add")
            out = out.relu_() if self.relu else out
        return out.view(windows, height, width, -1).permute(0, 3, 1, 2)


def prepare(program: Program, inputs: Tensor) -> Program:
    """Weights in the inputs' type and laid out for their device."""
    return replace(program, operations=[_prepare(operation, inputs) for operation in program.operations])


def _prepare(operation: Operation, inputs: Tensor) -> Operation:
    if isinstance(operation, Affine):
        return replace(
            operation, scale=operation.scale.to(inputs.dtype), shift=operation.shift.to(inputs.dtype)
        )
    if not isinstance(operation, Convolution):
        return operation
    bias = operation.bias.to(inputs.dtype)
    weight = operation.weight.to(inputs.dtype)
    if not _can_pack(inputs):
        return replace(operation, weight=weight.contiguous(memory_format=torch.channels_last), bias=bias)
    # The laid-out copy is the one that is read; of the other only the shape is.
    values = {field.name: getattr(operation, field.name) for field in fields(operation)}
    values |= {"weight": weight.to("meta"), "bias": bias}
    if weight.shape[2:] != (1, 1) or operation.groups != 1 or operation.padding != (0, 0):
        return PackedConvolution(**values, packed=_pack(operation, weight))
    ops: Any = torch.ops.mkldnn
    matrix = weight.reshape(weight.shape[:2])
    widths = [len(segment) for segment in operation.inputs[0]]
    pieces = matrix.split(widths, 1) if 1 < len(widths) <= MOST_PARTS and operation.is_pixelwise else ()
    packed, *parts = (
        ops._reorder_linear_weight(piece.contiguous(), _TYPICAL_PIXELS) for piece in (matrix, *pieces)
    )
    return PixelConvolution(**values, packed=packed, parts=tuple(parts))


def _pack(operation: Convolution, weight: Tensor) -> Tensor:
    if weight.numel() < _FEW_WEIGHTS or weight.shape[0] % _PORTION or operation.groups == weight.shape[0]:
        return weight.contiguous(memory_format=torch.channels_last)
    sides = [
        dilation * (taps - 1) + 1 + _TYPICAL[1]
        for taps, dilation in zip(weight.shape[2:], operation.dilation, strict=True)
    ]
    reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
    size = (_TYPICAL[0], weight.shape[1] * operation.groups, *sides)
    packed: Tensor = reorder(
        weight.contiguous().to_mkldnn(), (0, 0), operation.stride, operation.dilation, operation.groups, size
    )
    return packed


def _can_pack(inputs: Tensor) -> bool:
    backend: Any = torch.backends.mkldnn
    return (
        inputs.device.type == "cpu"
        and inputs.dtype in (torch.float32, torch.bfloat16)
        and backend.is_available()
        and bool(backend.enabled)
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def _last(x: Tensor) -> Tensor:
    """With channels last, also where that cannot be told from the strides."""
    return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
