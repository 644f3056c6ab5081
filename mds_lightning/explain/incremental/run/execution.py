"""Computes the crops of a block of windows, step by step."""

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mds_lightning.explain.incremental.plan.crop_buffers import Buffer, Direct, Input, Joint, View
from mds_lightning.explain.incremental.plan.group_layout import Layout, Step
from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.channels import Segment
from mds_lightning.explain.incremental.program.convolution import Convolution
from mds_lightning.explain.incremental.program.pooling import Pooling
from mds_lightning.explain.incremental.program.program import INPUT, GlobalMean, Program, WholeMap
from mds_lightning.explain.incremental.program.receptive_field import Integers
from mds_lightning.explain.incremental.run.blocks import Block, Cover
from mds_lightning.explain.incremental.run.uncovered_field import UncoveredFields, finish_mean, sum_region


def run_block(
    program: Program, layout: Layout, uncovered: UncoveredFields, cover: Cover, images: Tensor, block: Block
) -> Tensor:
    """Return the logits of a block of windows: (images, rows, columns, classes)."""
    return _Run(program, layout, uncovered, cover, images, block).logits()


class _Run:
    def __init__(
        self,
        program: Program,
        layout: Layout,
        uncovered: UncoveredFields,
        cover: Cover,
        images: Tensor,
        block: Block,
    ) -> None:
        self.program, self.layout, self.uncovered, self.images, self.block = (
            program,
            layout,
            uncovered,
            images,
            block,
        )
        self.grid = (len(images), len(block.tops), len(block.lefts))
        self.crops: dict[int, Tensor] = {INPUT: _as_map(cover.cut(images, layout.regions[INPUT], block))}
        self.buffers: dict[int, Tensor] = {}
        self.pasted: dict[int, set[int]] = {}

    def logits(self) -> Tensor:
        for step in self.layout.steps:
            self._take(step)
        given: dict[Any, Tensor] = {}
        maps = iter(self.layout.maps)
        for node, boundary in self.program.tail.boundaries.items():
            if isinstance(boundary, WholeMap):
                whole = self._read(next(maps))
                # The tail may write into its input.
                given[node] = (
                    whole.contiguous(memory_format=torch.channels_last).clone().to(self.program.dtype)
                )
            elif isinstance(boundary, GlobalMean):
                given[node] = self._mean(boundary)
        batch = int(np.prod(self.grid))
        return self.program.tail.run(given, batch).unflatten(0, self.grid)

    def _take(self, step: Step) -> None:
        operation, first = step.operation, step.inputs[0]
        given = [self._read(source) for source in step.inputs if not isinstance(source, Joint)]
        if isinstance(first, Joint):
            assert isinstance(operation, Convolution)
            out = operation.join([self._slice(segment) for segment in first.source], *given)
        elif isinstance(operation, Convolution) and step.may_overwrite:
            out = operation.overwrite(step.is_whole, *given)
        else:
            out = (operation.whole if step.is_whole else operation.crop)(*given)
        if isinstance(operation, Pooling) and not step.is_whole:
            out = self._divide(operation, out)
        self.crops[operation.output] = out
        for producer in step.last_producers:
            del self.crops[producer]
        for buffer in step.last_buffers:
            del self.buffers[buffer]

    def _read(self, source: Input) -> Tensor:
        if isinstance(source, Direct):
            return self.crops[source.producer]
        assert isinstance(source, View)
        buffer = self.layout.buffers[source.buffer]
        tensor = self.buffers.get(source.buffer)
        if tensor is None:
            tensor = self.buffers[source.buffer] = self._fill_buffer(buffer)
            self.pasted[source.buffer] = set()
        self._paste(buffer, tensor, self.pasted[source.buffer], source.channels)
        if source.is_all:
            return _as_map(tensor)
        bottom, right = source.top + source.height, source.left + source.width
        return _as_map(tensor[:, :, :, source.top : bottom, source.left : right, : source.channels])

    def _slice(self, segment: Segment) -> Tensor:
        return self.crops[segment.producer][:, segment.start : segment.stop]

    def _fill_buffer(self, buffer: Buffer) -> Tensor:
        if buffer.initial == "map":
            kept_map = self.uncovered.kept_maps[buffer.source, buffer.fill]
            return kept_map.cut(self.images, buffer.region, self.block.rows, self.block.columns)
        shape = (*self.grid, buffer.region.down.length, buffer.region.across.length, buffer.channels)
        example = next(iter(self.crops.values()))
        if buffer.initial == "nothing":
            return example.new_empty(shape)
        assert buffer.fill is not None
        return example.new_full(shape, buffer.fill)

    def _paste(self, buffer: Buffer, tensor: Tensor, pasted: set[int], channels: int) -> None:
        """Paste recomputed crops over the uncovered map, those of the first `channels` channels."""
        first = 0
        for position, segment in enumerate(buffer.source):
            if first >= channels:
                break
            last = first + len(segment)
            if position not in pasted:
                pasted.add(position)
                crop = self.crops[segment.producer].permute(0, 2, 3, 1)[..., segment.start : segment.stop]
                self._paste_crop(
                    buffer,
                    tensor[..., first:last],
                    crop.unflatten(0, self.grid),
                    self.layout.regions[segment.producer],
                )
            first = last

    def _paste_crop(self, buffer: Buffer, target: Tensor, crop: Tensor, region: Region) -> None:
        down = _runs(region.down.starts, buffer.region.down.starts, self.block.rows)
        across = _runs(region.across.starts, buffer.region.across.starts, self.block.columns)
        for rows, top in down:
            to_rows, from_rows = _overlap(top, crop.shape[3], target.shape[3])
            for columns, left in across:
                to_columns, from_columns = _overlap(left, crop.shape[4], target.shape[4])
                target[:, rows, columns, to_rows, to_columns].copy_(
                    crop[:, rows, columns, from_rows, from_columns]
                )

    def _divide(self, pooling: Pooling, sums: Tensor) -> Tensor:
        """Convert sums to means; near the border they are over fewer pixels."""
        size = self.program.shapes[pooling.inputs[0][0].producer][1:]
        down, across = pooling.counts(0, size[0]), pooling.counts(1, size[1])
        if down is None or across is None:
            return sums
        region = self.layout.regions[pooling.output]
        parts = []
        for counts, extent, chosen in (
            (down, region.down, self.block.rows), (across, region.across, self.block.columns)
        ):  # fmt: skip
            index = extent.starts[chosen][:, None] + np.arange(extent.length)
            parts.append(counts[torch.from_numpy(index)].to(sums.device, sums.dtype))
        divisor = parts[0][:, None, :, None] * parts[1][None, :, None, :]
        return (sums.unflatten(0, self.grid) / divisor[None, :, :, None]).flatten(0, 2)

    def _mean(self, boundary: GlobalMean) -> Tensor:
        """The mean of the uncovered map, updated by the changed region."""
        sums = []
        for segment in boundary.source:
            region, table = self.layout.regions[segment.producer], self.uncovered.sums[segment.producer]
            crop = self.crops[segment.producer]
            # A crop has few enough pixels for single precision; narrower types are widened.
            dtype = torch.promote_types(crop.dtype, torch.float32)
            inside = crop.sum((2, 3), dtype=dtype).double().unflatten(0, self.grid)
            before = sum_region(table, self.images, region, self.block.rows, self.block.columns)
            total = table[self.images, -1, -1][:, None, None] - before + inside
            sums.append(total[..., segment.start : segment.stop])
        joined = torch.cat(sums, -1).flatten(0, 2)
        return finish_mean(joined, boundary, self.program)


def _as_map(crops: Tensor) -> Tensor:
    """(images, rows, columns, height, width, C) to (windows, C, height, width), if possible as a view."""
    return crops.flatten(0, 2).permute(0, 3, 1, 2)


def _runs(crops: Integers, target: Integers, chosen: Integers) -> list[tuple[slice, int]]:
    """Runs of consecutive windows whose crops have the same position in the target."""
    offsets = (crops - target)[chosen]
    breaks = [0, *(np.flatnonzero(np.diff(offsets)) + 1).tolist(), len(offsets)]
    return [(slice(first, last), int(offsets[first])) for first, last in itertools.pairwise(breaks)]


def _overlap(offset: int, length: int, limit: int) -> tuple[slice, slice]:
    """Slices of a target of `limit` and of an interval of `length` at `offset` in which they overlap."""
    first, last = max(0, offset), min(limit, offset + length)
    last = max(first, last)
    return slice(first, last), slice(first - offset, last - offset)
