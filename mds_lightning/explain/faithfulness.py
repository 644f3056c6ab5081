"""Deletion and insertion curves: whether the pixels that a map ranks highest change the score most.

After Petsiuk, Das and Saenko, "RISE" (BMVC 2018), compared with a random order of image patches.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mds_lightning.explain.baselines import Baseline
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.faithfulness_curves import Curve, FaithfulnessCurves
from mds_lightning.explain.full import batch_within
from mds_lightning.explain.occlusion import OcclusionEngine
from mds_lightning.explain.score import score_classes
from mds_lightning.explain.setting_types import Score

#: The random order ranks patches and not single pixels, so that it covers whole cells; (rows, columns).
_PATCHES = (16, 16)
_MEMORY, _LARGEST_BATCH = 1 << 30, 16


def measure_faithfulness(
    engine: OcclusionEngine,
    image: Tensor,
    importance: Tensor,
    target: int,
    *,
    baseline: Baseline = "background",
    score: Score = "probability",
    steps: int = 10,
    seed: int = 0,
) -> FaithfulnessCurves:
    """Measure the map of one class; takes 3 * (steps - 1) + 2 forward passes, in batches.

    Args:
        engine: Of the model that is explained.
        image: (3, H, W), as the model takes it.
        importance: (H, W), of class `target`.
        target: Class.
        baseline: What covers pixels.
        score: What is recorded.
        steps: Number of steps; each changes the same number of pixels.
        seed: Of the random order.

    Raises:
        ValueError: The map does not have the size of the image.
    """
    if importance.shape != image.shape[1:]:
        raise ValueError(
            f"importance of shape {tuple(importance.shape)} for an image of shape {tuple(image.shape)}: "
            "give one map (H, W)"
        )
    ranked = importance.flatten().argsort(descending=True, stable=True)
    random = _random_order(importance.shape, torch.Generator().manual_seed(seed))
    with evaluating(engine.model):
        inputs, covers = engine.prepare(image[None], baseline)
        batch = min(batch_within(engine.network, inputs, _MEMORY), _LARGEST_BATCH)

        def change(first: Tensor, last: Tensor, order: Tensor) -> Tensor:
            fractions = [step / steps for step in range(1, steps)]
            mixed = (
                _mix(first, last, order.to(first.device), fractions[start : start + batch])
                for start in range(0, len(fractions), batch)
            )
            return torch.cat([score_classes(engine.network(one), score)[:, target] for one in mixed])

        whole, covered = score_classes(engine.network(torch.cat([inputs, covers])), score)[:, target]
        return FaithfulnessCurves(
            _join(whole, change(inputs[0], covers[0], ranked), covered),
            _join(covered, change(covers[0], inputs[0], ranked), whole),
            _join(whole, change(inputs[0], covers[0], random), covered),
        )


def _mix(first: Tensor, last: Tensor, order: Tensor, fractions: Sequence[float]) -> Tensor:
    """`first` with each of these fractions of its pixels replaced by those of `last`, (n, 3, H, W)."""
    mixed = first.flatten(1).repeat(len(fractions), 1, 1)
    for image, fraction in zip(mixed, fractions, strict=True):
        changed = order[: round(len(order) * fraction)]
        image[:, changed] = last.flatten(1)[:, changed]
    return mixed.unflatten(2, first.shape[1:])


def _join(first: Tensor, between: Tensor, last: Tensor) -> Curve:
    return torch.cat([first[None], between, last[None]]).float().cpu().numpy()


def _random_order(size: Sequence[int], generator: torch.Generator) -> Tensor:
    """Pixel indices in the order of randomly ranked patches."""
    ranks = torch.randperm(_PATCHES[0] * _PATCHES[1], generator=generator).float().view(1, 1, *_PATCHES)
    spread = torch.nn.functional.interpolate(ranks, size=list(size), mode="nearest")
    return spread.flatten().argsort(stable=True)
