"""Occlusion maps of a verdict that is the mean over parts of a field, such as its tiles."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any, TypeAlias

import torch
from torch import Tensor

from mds_lightning.explain.baselines import Baseline, background_colour
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.full import Window, batch_within, pass_in_full
from mds_lightning.explain.occlusion import ImportanceMaps, OcclusionEngine
from mds_lightning.explain.score import Score, score_classes
from mds_lightning.explain.windows import Interval, Length, WindowGrid, place_windows

#: A part as the model takes it, (3, H, W); the area of the field that it shows, as shares of the field's
#: sides (top, left, bottom, right); and its weight: those of a field add up to 1.
Part: TypeAlias = tuple[Tensor, Sequence[float], float]

_MEMORY, _LARGEST_BATCH = 1 << 30, 16


def map_parts(
    engine: OcclusionEngine,
    field: Tensor,
    parts: Iterable[Part],
    *,
    window: Length = 0.125,
    stride: Length = 0.0625,
    baseline: Baseline = "background",
    score: Score = "probability",
    report: Callable[[int], Any] = lambda _: None,
) -> ImportanceMaps:
    """Cover window after window of a field wherever a part shows it, and record what the field's score loses.

    So the map is the field's own, and not stitched from maps of its parts: it equals what covering the field
    and predicting it anew would give. Of each covered field only the parts that show the window are computed.

    Args:
        engine: Of the model that judges parts.
        field: The whole field, (3, H, W), which windows are laid on; parts may show it in more pixels.
        parts: All of them, of one size; taken one after the other, so that they may be read as they come.
        window: See `OcclusionEngine.maps`; in pixels of `field`.
        stride: Likewise.
        baseline: Likewise; `background` is the field's, `blur` that of each part.
        score: Likewise; the logit of a mean of probabilities is its logarithm.
        report: Called with the number of covered parts that are done, now and then.

    Returns:
        Of one field, on the pixels of `field`.
    """
    grid = place_windows(field.shape[1], field.shape[2], window, stride)
    named = isinstance(baseline, str)
    cover = background_colour(field) if named and baseline == "background" else baseline
    whole = change = torch.zeros((), dtype=torch.float64)
    batch = 0
    with evaluating(engine.model):
        for image, area, weight in parts:
            inputs, covers = engine.prepare(image[None], cover)
            batch = batch or min(batch_within(engine.network, inputs, _MEMORY), _LARGEST_BATCH)
            places, windows = _shown(grid, area, image.shape[-2:])
            covered = pass_in_full(engine.network, inputs, covers, windows, batch, report)[0]
            logits = torch.cat([engine.network(inputs), covered])
            said = weight * score_classes(logits, "probability").double().cpu()
            whole = whole + said[0]
            of_part = said.new_zeros(len(grid), said.shape[1])
            of_part[places] = said[1:] - said[0]
            change = change + of_part
    scores = score_classes(torch.cat([whole[None], whole + change]).clamp_min(1e-30).log(), score)
    drops = (scores[0] - scores[1:]).T.unflatten(1, grid.shape)[None].float()
    return ImportanceMaps(
        grid.spread(drops), (drops,), (grid,), tuple(range(len(whole))), whole[None].float()
    )


def _shown(grid: WindowGrid, area: Sequence[float], shape: Sequence[int]) -> tuple[list[int], list[Window]]:
    """The windows that a part of this (height, width) shows, and what they cover of it, in its pixels."""
    top, left, bottom, right = area
    rows = _clip(grid.rows, grid.height, top, bottom, shape[0])
    columns = _clip(grid.columns, grid.width, left, right, shape[1])
    shown = {
        row * grid.shape[1] + column: (rows[row], columns[column]) for row, column in product(rows, columns)
    }
    return [*shown], [*shown.values()]


def _clip(
    intervals: Sequence[Interval], length: int, start: float, stop: float, pixels: int
) -> dict[int, Interval]:
    """Those of the intervals on an axis that reach into its share from `start` to `stop`, in its pixels."""
    ends = {
        index: tuple(round((end / length - start) / (stop - start) * pixels) for end in interval)
        for index, interval in enumerate(intervals)
    }
    return {
        index: (max(0, first), min(pixels, last))
        for index, (first, last) in ends.items()
        if first < pixels and last > 0
    }
