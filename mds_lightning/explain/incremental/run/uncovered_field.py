"""The uncovered fields: their logits, the maps that crops are cut from, and sums over maps."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mds_lightning.explain.incremental.plan.kept_maps import Border, MapKey
from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.operations import Source
from mds_lightning.explain.incremental.program.program import INPUT, GlobalMean, Program, WholeMap
from mds_lightning.explain.incremental.program.receptive_field import Integers


@dataclass(frozen=True, eq=False)
class KeptMap:
    """A padded map as a table with one row per pixel and one column per channel.

    Attributes:
        rows: (images * height * width, channels).
        height: Pixels with the border.
        width: Pixels with the border.
        border: Pixels of padding.
    """

    rows: Tensor
    height: int
    width: int
    border: Border

    def whole(self) -> Tensor:
        """The padded map, (images, channels, height, width), as a view."""
        return self.rows.unflatten(0, (-1, self.height, self.width)).permute(0, 3, 1, 2)

    def cut(self, images: Tensor, region: Region, rows: Integers, columns: Integers) -> Tensor:
        """Crops of some images for some rows and columns of a group's windows.

        Returns:
            Shape (images, rows, columns, height, width, channels), a copy.
        """
        device = self.rows.device
        tops = torch.from_numpy(region.down.starts[rows] + self.border.top).to(device)
        lefts = torch.from_numpy(region.across.starts[columns] + self.border.left).to(device)
        height, width = region.down.length, region.across.length
        corner = images[:, None, None] * (self.height * self.width) + tops[:, None] * self.width + lefts
        inner = torch.arange(height, device=device)[:, None] * self.width + torch.arange(width, device=device)
        index = (corner.reshape(-1, 1) + inner.reshape(1, -1)).reshape(-1)
        crops = torch.index_select(self.rows, 0, index)
        return crops.view(len(images), len(tops), len(lefts), height, width, -1)


@dataclass(frozen=True, eq=False)
class UncoveredFields:
    """Results for the uncovered fields.

    Attributes:
        kept_maps: Maps that crops are cut from.
        sums: For maps that are averaged: sums over all rectangles from the upper left corner, float64,
            (images, height + 1, width + 1, channels).
        logits: (images, classes).
    """

    kept_maps: Mapping[MapKey, KeptMap]
    sums: Mapping[int, Tensor]
    logits: Tensor


def run_uncovered_fields(
    program: Program, inputs: Tensor, kept_maps: Mapping[MapKey, Border]
) -> UncoveredFields:
    """Run the uncovered fields once and keep what the windows need.

    Args:
        program: With operations that are ready for the inputs' device and type.
        inputs: Shape (n, C, H, W), laid out with channels last.
        kept_maps: From `find_kept_maps`.
    """
    boundaries = program.tail.boundaries
    averaged = {
        segment.producer
        for boundary in boundaries.values()
        if isinstance(boundary, GlobalMean)
        for segment in boundary.source
    }
    readers = Counter(
        producer
        for source in [
            *(source for operation in program.operations for source in operation.inputs),
            *(source for source, _ in kept_maps),
            *program.boundary_sources(),
        ]
        for producer in {segment.producer for segment in source}
    )
    maps = {INPUT: inputs}
    made: dict[MapKey, KeptMap] = {}
    sums: dict[int, Tensor] = {}
    pending = list(kept_maps)

    def finish(number: int) -> None:
        """Compute the sums and kept maps for which a new map was the last one missing."""
        if number in averaged:
            sums[number] = _integrate(maps[number])
        ready = [key for key in pending if all(segment.producer in maps for segment in key[0])]
        # Crops that stay inside the map can be cut from a padded one too.
        for key in sorted(ready, key=lambda key: key[1] is None):
            pending.remove(key)
            padded = [
                kept_map for (source, _), kept_map in made.items() if source == key[0] and key[1] is None
            ]
            made[key] = padded[0] if padded else _keep_map(gather(maps, key[0]), kept_maps[key], key[1])
            release(key[0])

    def release(source: Source) -> None:
        for producer in {segment.producer for segment in source}:
            readers[producer] -= 1
            if not readers[producer]:
                del maps[producer]

    finish(INPUT)
    for operation in program.operations:
        maps[operation.output] = operation.whole(
            *(_find_map(source, maps, made) for source in operation.inputs)
        )
        for source in operation.inputs:
            release(source)
        finish(operation.output)
    given = {}
    for node, boundary in boundaries.items():
        if isinstance(boundary, GlobalMean):
            whole = torch.cat(
                [
                    sums[segment.producer][:, -1, -1, segment.start : segment.stop]
                    for segment in boundary.source
                ],
                1,
            )
            given[node] = finish_mean(whole, boundary, program)
        elif isinstance(boundary, WholeMap):
            given[node] = gather(maps, boundary.source).clone().to(program.dtype)
    return UncoveredFields(made, sums, program.tail.run(given, len(inputs)))


def finish_mean(sums: Tensor, boundary: GlobalMean, program: Program) -> Tensor:
    """Convert sums, (n, channels of the source), to the mean that the tail reads."""
    height, width = program.shapes[boundary.source[0].producer][1:]
    order = torch.from_numpy(boundary.order).to(sums.device)
    mean = (sums / (height * width)).to(program.dtype)[:, order]
    return mean[:, :, None, None] if boundary.keeps_axes else mean


def gather(maps: Mapping[int, Tensor], source: Source) -> Tensor:
    """Return the channels of a source as one map."""
    parts = [maps[segment.producer][:, segment.start : segment.stop] for segment in source]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _find_map(source: Source, maps: Mapping[int, Tensor], made: Mapping[MapKey, KeptMap]) -> Tensor:
    """A map; a concatenated one is taken from the kept map that contains it, if there is one."""
    kept_map = made.get((source, None)) if len(source) > 1 else None
    return gather(maps, source) if kept_map is None or any(astuple(kept_map.border)) else kept_map.whole()


def _keep_map(whole: Tensor, border: Border, fill: float | None) -> KeptMap:
    widths = (border.left, border.right, border.top, border.bottom)
    padded = F.pad(whole, widths, value=fill or 0.0) if any(widths) else whole
    images, channels, height, width = padded.shape
    rows = padded.permute(0, 2, 3, 1).reshape(images * height * width, channels)
    return KeptMap(rows, height, width, border)


def _integrate(whole: Tensor) -> Tensor:
    table = whole.permute(0, 2, 3, 1).double().cumsum(1).cumsum(2)
    return F.pad(table, (0, 0, 1, 0, 1, 0))


def sum_region(table: Tensor, images: Tensor, region: Region, rows: Integers, columns: Integers) -> Tensor:
    """Sums of the uncovered map over each window's region: (images, rows, columns, channels), float64."""
    device = table.device
    top = torch.from_numpy(region.down.starts[rows]).to(device)[None, :, None]
    left = torch.from_numpy(region.across.starts[columns]).to(device)[None, None, :]
    bottom, right = top + region.down.length, left + region.across.length
    image = images[:, None, None]
    corners = ((bottom, right, 1), (top, right, -1), (bottom, left, -1), (top, left, 1))
    total = torch.zeros((), dtype=table.dtype, device=device)
    for y, x, sign in corners:
        total = total + sign * table[image, y, x]
    return total
