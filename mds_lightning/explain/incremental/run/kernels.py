"""Convolutions by oneDNN with weights that are packed once, where this machine offers that.

The operators are those that `torch.compile` generates for CPUs. They are private and do not exist, or refuse
a data type, on some machines: `has_packed_kernels` runs them once to find out. Elsewhere convolutions run by
public operators (see `Convolution`).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from mds_lightning.explain.incremental.program.channels import Segment
from mds_lightning.explain.incremental.program.convolution import MAX_SEGMENTS, Convolution
from mds_lightning.explain.incremental.program.operations import Affine, Operation
from mds_lightning.explain.incremental.program.program import Program
from mds_lightning.explain.incremental.run.packed_weights import PackedWeight

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class PackedConvolution(Convolution):
    """A convolution with a kernel of several pixels, or with groups or padding."""

    packed: PackedWeight

    def _compute(self, padding: tuple[int, int], maps: tuple[Tensor, ...], may_overwrite: bool) -> Tensor:
        x, *added = (_channels_last(each) for each in maps)
        ops: Any = torch.ops.mkldnn
        settings = (padding, self.stride, self.dilation, self.groups)
        weight = self.packed.get(*settings, tuple(x.shape))
        if not added:
            relu = "relu" if self.relu else "none"
            result: Tensor = ops._convolution_pointwise(x, weight, self.bias, *settings, relu, [], "")
            return result
        relu_after = "relu" if self.relu else None
        rest: tuple[Any, ...] = (weight, self.bias, *settings, "add", 1.0, relu_after, [], "")
        if may_overwrite:
            result = ops._convolution_pointwise_.binary(added[0], x, *rest)
        else:
            result = ops._convolution_pointwise.binary(x, added[0], *rest)
        return result


@dataclass(frozen=True, eq=False, kw_only=True)
class PackedPixelConvolution(Convolution):
    """A convolution with a kernel of one pixel: a matrix product with one row per pixel.

    Attributes:
        packed: All weights.
        segments: The weights of each input segment, where there are few: their products are summed, and the
            segments need not be concatenated.
    """

    packed: PackedWeight
    segments: tuple[PackedWeight, ...]

    def join(self, parts: Sequence[Tensor], *added: Tensor) -> Tensor:
        """Sum of the products of the segments."""
        if not self.segments:
            return super().join(parts, *added)
        windows, _, height, width = parts[0].shape
        out: Tensor | None = _as_rows(added[0]) if added else None
        for part, weight in zip(parts, self.segments, strict=True):
            bias = self.bias if weight is self.segments[0] else None
            out = _multiply(_as_rows(part), weight, bias, out)
        assert out is not None
        out = out.relu_() if self.relu else out
        return out.view(windows, height, width, -1).permute(0, 3, 1, 2)

    def _compute(self, padding: tuple[int, int], maps: tuple[Tensor, ...], may_overwrite: bool) -> Tensor:
        del padding, may_overwrite
        x = maps[0][:, :, :: self.stride[0], :: self.stride[1]]
        windows, _, height, width = x.shape
        added = _as_rows(maps[1]) if len(maps) > 1 else None
        out = _multiply(_as_rows(x), self.packed, self.bias, added, relu=self.relu and added is None)
        out = out.relu_() if self.relu and added is not None else out
        return out.view(windows, height, width, -1).permute(0, 3, 1, 2)


def prepare(program: Program, inputs: Tensor) -> Program:
    """Convert weights to the inputs' data type, and pack them where there are kernels for that.

    Args:
        program: As it was read from the network.
        inputs: Any tensor of the device and data type that operations compute in.
    """
    is_packed = inputs.device.type == "cpu" and has_packed_kernels(inputs.dtype)
    operations = [_prepare(operation, inputs.dtype, is_packed) for operation in program.operations]
    return replace(program, operations=operations)


def has_packed_kernels(dtype: torch.dtype) -> bool:
    """Whether this machine convolves with packed weights of a data type.

    `bfloat16`, for example, needs a CPU with AVX-512BW or AVX-NE-CONVERT, and no data type is supported while
    `torch.backends.mkldnn.flags(enabled=False)` holds.
    """
    backend: Any = torch.backends.mkldnn
    is_enabled = backend.is_available() and bool(backend.enabled)
    return is_enabled and dtype in (torch.float32, torch.bfloat16) and _try_packed_kernels(dtype)


@cache
def _try_packed_kernels(dtype: torch.dtype) -> bool:
    """Run every operator once: which of them exist for a CPU is not documented."""
    source = (Segment(0, 0, 8),)
    x = torch.ones(1, 8, 4, 4, dtype=dtype)
    for taps in (1, 3):
        convolution = Convolution(
            label="trial", inputs=(source, source), output=1, shape=(8, 4, 4),
            weight=x.new_ones(8, 8, taps, taps), bias=x.new_ones(8), stride=(1, 1),
            padding=(taps // 2, taps // 2), dilation=(1, 1), groups=1, relu=True,
        )  # fmt: skip
        packed = _pack(convolution)
        try:
            for maps in ((x,), (x, x)):
                packed.whole(*maps)
            packed.overwrite(True, x, x.clone())
        # The operators do not exist in this build, or refuse the data type on this CPU.
        except (AttributeError, NotImplementedError, RuntimeError) as error:
            log.info("occlusion maps: %s convolutions run without packed weights: %s", dtype, error)
            return False
    return True


def _prepare(operation: Operation, dtype: torch.dtype, is_packed: bool) -> Operation:
    if isinstance(operation, Affine):
        return replace(operation, scale=operation.scale.to(dtype), shift=operation.shift.to(dtype))
    if not isinstance(operation, Convolution):
        return operation
    weight = operation.weight.to(dtype)
    if not is_packed:
        weight = weight.contiguous(memory_format=torch.channels_last)
    converted = replace(operation, weight=weight, bias=operation.bias.to(dtype))
    return _pack(converted) if is_packed else converted


def _pack(convolution: Convolution) -> PackedConvolution | PackedPixelConvolution:
    values = {field.name: getattr(convolution, field.name) for field in fields(convolution)}
    weight = convolution.weight
    if weight.shape[2:] != (1, 1) or convolution.groups != 1 or convolution.padding != (0, 0):
        return PackedConvolution(**values, packed=PackedWeight(weight, _pack_convolution))
    matrix = weight.flatten(1)
    widths = [len(segment) for segment in convolution.inputs[0]]
    pieces = matrix.split(widths, 1) if 1 < len(widths) <= MAX_SEGMENTS and convolution.is_pixelwise else ()
    packed, *segments = (PackedWeight(piece, _pack_linear) for piece in (matrix, *pieces))
    return PackedPixelConvolution(**values, packed=packed, segments=tuple(segments))


def _pack_convolution(weight: Tensor, *settings: object) -> Tensor:
    ops: Any = torch.ops.mkldnn
    packed: Tensor = ops._reorder_convolution_weight(weight, *settings)
    return packed


def _pack_linear(weight: Tensor, rows: int) -> Tensor:
    ops: Any = torch.ops.mkldnn
    packed: Tensor = ops._reorder_linear_weight(weight, rows)
    return packed


def _multiply(
    rows: Tensor, weight: PackedWeight, bias: Tensor | None, added: Tensor | None, relu: bool = False
) -> Tensor:
    """Return rows @ weight.T + bias + added; ReLU only where nothing is added."""
    ops: Any = torch.ops.mkldnn
    packed = weight.get(len(rows))
    if added is None:
        out: Tensor = ops._linear_pointwise(rows, packed, bias, "relu" if relu else "none", [], "")
    else:
        out = ops._linear_pointwise.binary(rows, added, packed, bias, "add")
    return out


def _as_rows(x: Tensor) -> Tensor:
    """Maps (n, C, H, W) as a matrix (n * H * W, C), a view where channels come last."""
    return x.permute(0, 2, 3, 1).flatten(0, 2)


def _channels_last(x: Tensor) -> Tensor:
    """With channels last, also where the strides do not determine the memory format."""
    return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
