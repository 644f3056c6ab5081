"""Whether a map points at what decides: how fast the score falls when the pixels it names are covered first.

Deletion and insertion curves after Petsiuk, Das and Saenko, "RISE" (BMVC 2018), against a random order of the
same patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mds_lightning.explain.baselines import Baseline
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.score import Score, score_classes

#: Random orders are drawn patch by patch, so that they cover cells and not single pixels; (rows, columns).
_PATCHES = (16, 16)


@dataclass(frozen=True)
class Faithfulness:
    """One map's curves.

    Attributes:
        deletion: Mean score while the most important pixels are covered first; low is faithful.
        insertion: Mean score while they are uncovered first; high is faithful.
        random: Mean score while patches are covered in a random order: what a map that knows nothing gives.
    """

    deletion: float
    insertion: float
    random: float


def measure_faithfulness(
    engine: OcclusionEngine,
    images: Tensor,
    importance: Tensor,
    targets: Sequence[int],
    *,
    baseline: Baseline = "background",
    score: Score = "probability",
    steps: int = 20,
    seed: int = 0,
) -> list[Faithfulness]:
    """Measure one map for each image.

    Args:
        engine: Of the model that is explained.
        images: Shape (n, 3, H, W), as the model takes them.
        importance: Shape (n, H, W), of the class in `targets`.
        targets: Class of each image's map.
        baseline: What covers pixels.
        score: What is recorded.
        steps: Points of a curve besides its beginning; each covers the same number of pixels more.
        seed: Of the random order.

    Returns:
        One record an image, in their order.
    """
    if importance.shape != (len(images), *images.shape[2:]) or len(targets) != len(images):
        raise ValueError(
            f"importance of shape {tuple(importance.shape)} and {len(targets)} targets for images of shape "
            f"{tuple(images.shape)}: give one map (H, W) and one target an image"
        )
    with evaluating(engine.model):
        inputs, covers = engine.prepare(images, baseline)
        generator = torch.Generator().manual_seed(seed)
        found = []
        for field, cover, map_, target in zip(inputs, covers, importance, targets, strict=True):
            orders = map_.flatten().argsort(descending=True), _random_order(map_.shape, generator)
            curves = [
                _curve(engine, *pair, order.to(field.device), target, score, steps)
                for pair, order in (
                    ((field, cover), orders[0]), ((cover, field), orders[0]), ((field, cover), orders[1])
                )
            ]  # fmt: skip
            found.append(Faithfulness(*curves))
    return found


def _curve(
    engine: OcclusionEngine,
    first: Tensor,
    last: Tensor,
    order: Tensor,
    target: int,
    score: Score,
    steps: int,
) -> float:
    """Mean score (trapezoids) while the pixels of `first` become those of `last` in the given order."""
    scores = []
    for step in range(steps + 1):
        changed = order[: round(len(order) * step / steps)]
        mixed = first.flatten(1).clone()
        mixed[:, changed] = last.flatten(1)[:, changed]
        scores.append(score_classes(engine.network(mixed.view_as(first)[None]), score)[0, target])
    return float(torch.trapezoid(torch.stack(scores).double(), dx=1 / steps))


def _random_order(size: Sequence[int], generator: torch.Generator) -> Tensor:
    """Pixels in the order of randomly ranked patches."""
    ranks = torch.randperm(_PATCHES[0] * _PATCHES[1], generator=generator).float().view(1, 1, *_PATCHES)
    spread = torch.nn.functional.interpolate(ranks, size=list(size), mode="nearest")
    return spread.flatten().argsort(stable=True)
