"""Blocks of windows that are computed at once, and the covered crops of the fields."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mds_lightning.explain.incremental.plan.regions import Region
from mds_lightning.explain.incremental.program.receptive_field import Integers
from mds_lightning.explain.windows import Interval


@dataclass(frozen=True, eq=False)
class Cover:
    """The fields and their covers, as tables with one row per pixel.

    Attributes:
        fields: (images * height * width, channels).
        covers: Likewise, what is visible under a window.
        size: (height, width).
    """

    fields: Tensor
    covers: Tensor
    size: tuple[int, int]

    @classmethod
    def of(cls, inputs: Tensor, covers: Tensor) -> "Cover":
        """Create it from fields and covers of shape (n, C, H, W)."""
        fields, patches = (maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1]) for maps in (inputs, covers))
        return cls(fields, patches, (inputs.shape[2], inputs.shape[3]))

    def cut(self, images: Tensor, region: Region, block: "Block") -> Tensor:
        """Crops with their windows covered, shape (images, rows, columns, height, width, C)."""
        height, width = self.size
        down, inside_down = _span(region.down.starts[block.rows], region.down.length, block.tops)
        across, inside_across = _span(region.across.starts[block.columns], region.across.length, block.lefts)
        pixel = down[:, None, :, None] * width + across[None, :, None, :]
        inside = inside_down[:, None, :, None] & inside_across[None, :, None, :]
        device = self.fields.device
        index = images.view(-1, 1, 1, 1, 1) * (height * width) + torch.from_numpy(pixel).to(device)
        covered = torch.from_numpy(inside).to(device).expand(index.shape)[..., None]
        seen, patch = (
            torch.index_select(table, 0, index.reshape(-1)).view(*index.shape, -1)
            for table in (self.fields, self.covers)
        )
        return torch.where(covered, patch, seen)


def _span(starts: Integers, length: int, windows: list[Interval]) -> tuple[Integers, Any]:
    pixels = starts[:, None] + np.arange(length)
    first, last = (np.array([window[end] for window in windows])[:, None] for end in (0, 1))
    return pixels, (pixels >= first) & (pixels < last)


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows and columns of a group's windows.

    Attributes:
        rows: Positions among the group's rows.
        columns: Positions among the group's columns.
        tops: Vertical extents of these rows of windows.
        lefts: Horizontal extents of these columns.
    """

    rows: Integers
    columns: Integers
    tops: list[Interval]
    lefts: list[Interval]
