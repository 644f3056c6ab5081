"""Occlusion maps of a prediction that is the mean over crops of an image, such as tiles."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any, TypeAlias

import torch
from torch import Tensor

from mds_lightning.explain.baselines import Baseline, background_colour
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.full import Window, batch_within, pass_in_full
from mds_lightning.explain.occlusion import ImportanceMaps, OcclusionEngine
from mds_lightning.explain.score import score_classes
from mds_lightning.explain.setting_types import Length, Score
from mds_lightning.explain.windows import Interval, WindowGrid, place_windows

#: A crop as the model takes it, (3, H, W); the area of the image that it shows, as fractions of the image's
#: sides (top, left, bottom, right); and its weight: the weights of an image add up to 1.
Crop: TypeAlias = tuple[Tensor, Sequence[float], float]

_MEMORY, _LARGEST_BATCH = 1 << 30, 16


def map_crops(
    engine: OcclusionEngine,
    image: Tensor,
    crops: Iterable[Crop],
    *,
    window: Length = 0.125,
    stride: Length = 0.0625,
    baseline: Baseline = "background",
    score: Score = "probability",
    report: Callable[[int], Any] = lambda _: None,
) -> ImportanceMaps:
    """Cover window after window of an image in every crop that shows it, and record the drop of the score.

    The map is that of the whole image, not stitched from maps of its crops: it equals what covering the image
    and predicting it again would give. For each covered image only the crops that show the window are
    computed.

    Args:
        engine: Of the model that classifies crops.
        image: The whole image, (3, H, W), on which windows are placed; crops may have a higher resolution.
        crops: All crops, of one size; consumed one by one, so that they may be read lazily.
        window: See `OcclusionEngine.maps`; in pixels of `image`.
        stride: See `OcclusionEngine.maps`.
        baseline: See `OcclusionEngine.maps`; `background` is that of the image, `blur` that of each crop.
        score: See `OcclusionEngine.maps`; the logit of a mean of probabilities is its logarithm.
        report: Called with the number of covered crops that were computed, from time to time.

    Returns:
        Maps of one image, in the pixels of `image`.
    """
    grid = place_windows(image.shape[1], image.shape[2], window, stride)
    named = isinstance(baseline, str)
    cover = background_colour(image) if named and baseline == "background" else baseline
    whole = change = torch.zeros((), dtype=torch.float64)
    batch = 0
    with evaluating(engine.model):
        for crop, area, weight in crops:
            inputs, covers = engine.prepare(crop[None], cover)
            batch = batch or min(batch_within(engine.network, inputs, _MEMORY), _LARGEST_BATCH)
            places, windows = _visible_windows(grid, area, crop.shape[-2:])
            covered = pass_in_full(engine.network, inputs, covers, windows, batch, report)[0]
            logits = torch.cat([engine.network(inputs), covered])
            weighted = weight * score_classes(logits, "probability").double().cpu()
            whole = whole + weighted[0]
            change_of_crop = weighted.new_zeros(len(grid), weighted.shape[1])
            change_of_crop[places] = weighted[1:] - weighted[0]
            change = change + change_of_crop
    scores = score_classes(torch.cat([whole[None], whole + change]).clamp_min(1e-30).log(), score)
    drops = (scores[0] - scores[1:]).T.unflatten(1, grid.shape)[None].float()
    return ImportanceMaps(
        grid.spread(drops), (drops,), (grid,), tuple(range(len(whole))), whole[None].float()
    )


def _visible_windows(
    grid: WindowGrid, area: Sequence[float], shape: Sequence[int]
) -> tuple[list[int], list[Window]]:
    """Indices of the windows that a crop of this (height, width) shows, and their extents in its pixels."""
    top, left, bottom, right = area
    rows = _clip(grid.rows, grid.height, top, bottom, shape[0])
    columns = _clip(grid.columns, grid.width, left, right, shape[1])
    visible = {
        row * grid.shape[1] + column: (rows[row], columns[column]) for row, column in product(rows, columns)
    }
    return [*visible], [*visible.values()]


def _clip(
    intervals: Sequence[Interval], length: int, start: float, stop: float, pixels: int
) -> dict[int, Interval]:
    """Intervals on an axis that overlap the crop (fractions `start` to `stop`), by index, in its pixels."""
    ends = {
        index: tuple(round((end / length - start) / (stop - start) * pixels) for end in interval)
        for index, interval in enumerate(intervals)
    }
    return {
        index: (max(0, first), min(pixels, last))
        for index, (first, last) in ends.items()
        if first < pixels and last > 0
    }
