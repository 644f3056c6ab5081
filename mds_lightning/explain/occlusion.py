"""Occlusion maps: how much a network's score drops when a window of the image is covered."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mds_lightning.explain.baselines import Baseline, cover
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.incremental.plan.plan_summary import describe_plan
from mds_lightning.explain.passes import Passes, Refusal
from mds_lightning.explain.score import score_classes
from mds_lightning.explain.setting_types import Length, Score
from mds_lightning.explain.windows import WindowGrid, place_windows

log = logging.getLogger(__name__)

#: Windows that are computed again in full precision to measure the error of a reduced precision.
_MEASURED = 8


@dataclass(frozen=True)
class ImportanceMaps:
    """Result of `OcclusionEngine.maps`.

    Attributes:
        importance: (n, targets, H, W): mean drop of the score over the windows that covered a pixel; with
            several window sizes the mean over the sizes. Positive: the pixel increases the target's score.
        drops: For each window size (n, targets, rows, columns): score of the whole image less that of the
            covered one.
        grids: The windows of each size.
        targets: Class indices along the second axis.
        probabilities: (n, classes) of the whole images.
        error: With reduced precision: largest difference of a score from full precision among some windows;
            0 where the maps are exact.
    """

    importance: Tensor
    drops: tuple[Tensor, ...]
    grids: tuple[WindowGrid, ...]
    targets: tuple[int, ...]
    probabilities: Tensor
    error: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether every window was computed, in the network's own precision."""
        return not self.error


class OcclusionEngine:
    """Occlusion maps of one network.

    The map equals captum's `Occlusion` on every pixel (same windows, same cut at the border, same mean), up
    to rounding of the last digits. All classes come from one pass. For each covered image only what the
    window changes is computed, as far as the operations of the network are known to be local. The model's
    mode and gradients are left unchanged. `explain_plan` describes what is computed.

    Args:
        model: Takes images (n, 3, H, W) to logits (n, classes). Where it has `normalise` (images to the
            network's input) and `network`, as `SmearClassifier` has, windows are covered before
            normalisation.
        mean: Mean colour of the training images on the images' scale, shape (3,), for baseline `mean`.
        memory: Bytes that activations may take; by default 1 GB, on a GPU 4 GB. The feature maps of one
            uncovered image are kept regardless of this limit.
        fast: False: every window is a full forward pass.
        precision: `bfloat16` is faster on some machines and not exact; its error is measured, logged and
            returned.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        mean: Tensor | None = None,
        memory: int | None = None,
        fast: bool = True,
        precision: Literal["full", "bfloat16"] = "full",
    ) -> None:
        if precision not in ("full", "bfloat16"):
            raise ValueError(f"precision is {precision!r}: choose full or bfloat16")
        self.model = model
        self.mean = mean
        inner, normalise = getattr(model, "network", None), getattr(model, "normalise", None)
        pair = isinstance(inner, nn.Module) and callable(normalise)
        self.network: nn.Module = cast(nn.Module, inner) if pair else model
        self._normalise = cast(Callable[[Tensor], Tensor], normalise) if pair else None
        dtype = torch.bfloat16 if precision == "bfloat16" else None
        self._passes = Passes(self.network, memory, fast, dtype)
        self._last: tuple[Tensor, WindowGrid] | None = None

    def maps(
        self,
        images: Tensor,
        *,
        targets: int | Sequence[int] | None = None,
        window: Length | Sequence[Length] = 0.125,
        stride: Length = 0.0625,
        baseline: Baseline = "background",
        score: Score = "probability",
        progress: bool = False,
    ) -> ImportanceMaps:
        """Cover window after window and record the drop of the score.

        Args:
            images: Shape (n, 3, H, W), as the model takes them; moved to its device.
            targets: Classes to explain; None: all, at the same cost.
            window: Side of the square window: pixels (int) or fraction of the longer side (float); a sequence
                of sizes averages their maps.
            stride: Step between windows, likewise.
            baseline: What covers a window, see `baselines.cover`; `zero` is zero in the network's input.
            score: `probability`, or `logit`, which does not saturate.
            progress: Show a bar.

        Raises:
            ValueError: An argument is invalid; the message names it and the valid values.
        """
        if images.ndim != 4 or not len(images):
            raise ValueError(f"images have shape {tuple(images.shape)}: give (n, 3, H, W), at least one")
        sizes = [window] if isinstance(window, int | float) else [*window]
        grids = tuple(place_windows(images.shape[2], images.shape[3], size, stride) for size in sizes)
        with evaluating(self.model):
            inputs, covers = self.prepare(images, baseline)
            chosen = _choose_targets(targets, self._passes.count_classes(inputs))
            covered = _CoveredScores(self._passes, inputs, covers, score, list(chosen))
            total = len(images) * sum(map(len, grids))
            with tqdm(total=total, desc="occlusion", unit="window", leave=False, disable=not progress) as bar:
                drops = tuple(covered.drops(grid, bar.update) for grid in grids)
            # `explain_plan` needs the shape of the images only.
            self._last = (inputs.new_zeros(()).expand(inputs.shape), grids[0])
            error = covered.error(grids[0], drops[0]) if self._passes.dtype is not None else 0.0
            spread = [grid.spread(drop) for grid, drop in zip(grids, drops, strict=True)]
        importance = torch.stack(spread).mean(0)
        return ImportanceMaps(importance, drops, grids, chosen, covered.probabilities, error)

    def explain_plan(self) -> str:
        """What the last call of `maps` computed for each covered image, and where the fast path ends.

        Raises:
            ValueError: `maps` was not called yet.
        """
        if self._last is None:
            raise ValueError("explain_plan describes the last call of maps: call maps first")
        with evaluating(self.model):
            plan = self._passes.plan(*self._last)
        if isinstance(plan, Refusal):
            return f"every window is a full pass: {plan.reason}"
        return describe_plan(plan)

    def prepare(self, images: Tensor, baseline: Baseline) -> tuple[Tensor, Tensor]:
        """The images, and what replaces them under a window, as `network` takes them."""
        parameter = next(self.model.parameters(), None)
        if parameter is not None:
            images = images.to(parameter.device)
        covers = cover(images, baseline, self.mean)
        if self._normalise is not None:
            images = self._normalise(images)
            covers = None if covers is None else self._normalise(covers)
        if not images.is_floating_point():
            raise ValueError(
                f"images are {images.dtype} and the model does not normalise them: "
                "give floating point as the model takes it"
            )
        return images, torch.zeros_like(images) if covers is None else covers


class _CoveredScores:
    """Drops of the score for the windows of several grids on the same images."""

    def __init__(
        self, passes: Passes, inputs: Tensor, covers: Tensor, score: Score, targets: list[int]
    ) -> None:
        self.passes = passes
        self.inputs = inputs
        self.covers = covers
        self.score = score
        self.targets = targets
        self.probabilities = inputs.new_empty(0)

    def drops(self, grid: WindowGrid, report: Callable[[int], Any]) -> Tensor:
        """Score of the whole image less that of the covered one, (n, targets, rows, columns)."""
        everywhere = np.ones(grid.shape, dtype=bool)
        logits = self.passes.run(self.inputs, self.covers, grid, everywhere, report)
        self.probabilities = score_classes(logits.whole, "probability")
        whole = score_classes(logits.whole, self.score)[:, None, None]
        covered = score_classes(logits.covered.flatten(0, 2), self.score).unflatten(
            0, logits.covered.shape[:3]
        )
        return (whole - covered)[..., self.targets].permute(0, 3, 1, 2)

    def error(self, grid: WindowGrid, drops: Tensor) -> float:
        """Largest error of the first image's drops among some windows, compared with full precision."""
        places = [
            divmod(int(place), grid.shape[1])
            for place in torch.linspace(0, len(grid) - 1, min(_MEASURED, len(grid))).long().unique()
        ]
        windows = [(grid.rows[row], grid.columns[column]) for row, column in places]
        exact = self.passes.exact(self.inputs[:1], self.covers[:1], windows)[0]
        whole = score_classes(self.passes.network(self.inputs[:1]), self.score)
        expected = (whole - score_classes(exact, self.score))[:, self.targets]
        found = torch.stack([drops[0, :, row, column] for row, column in places])
        error = float((found - expected).abs().max())
        log.info("%s is not exact: drops differ by up to %.2g", self.passes.dtype, error)
        return error


def _choose_targets(targets: int | Sequence[int] | None, classes: int) -> tuple[int, ...]:
    chosen = range(classes) if targets is None else [targets] if isinstance(targets, int) else targets
    unknown = [target for target in chosen if not 0 <= target < classes]
    if unknown or not chosen:
        raise ValueError(f"targets are {list(chosen)}: the model has classes 0 to {classes - 1}")
    return tuple(chosen)
