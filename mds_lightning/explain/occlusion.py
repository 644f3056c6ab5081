"""The public door to occlusion maps: what a network's verdict loses when a patch of the field is covered."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mds_lightning.explain.adaptive import LeftOut, refine
from mds_lightning.explain.baselines import Baseline, cover
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.incremental.explanation import describe_plan
from mds_lightning.explain.passes import Chosen, Passes, Refusal
from mds_lightning.explain.score import Score, score_classes
from mds_lightning.explain.windows import Length, WindowGrid, place_windows

log = logging.getLogger(__name__)

#: Windows that are computed exactly too when a narrow type is asked for, to tell its error.
_MEASURED = 8


@dataclass(frozen=True)
class ImportanceMaps:
    """What `OcclusionEngine.maps` found.

    Attributes:
        importance: (n, targets, H, W): mean drop of the score over the windows that covered a pixel; with
            several window sizes the mean over the sizes. Positive: the pixel speaks for the target.
        drops: For each window size (n, targets, rows, columns): the score of the whole field less that of the
            covered one.
        grids: The windows of each size.
        targets: Class indices along the second axis.
        probabilities: (n, classes): of the whole fields.
        error: Of a narrow type: largest difference of a score from full precision among some windows; 0 where
            the maps are exact.
        left_out: For each window size what `mode="adaptive"` did without; empty where the maps are exact.
    """

    importance: Tensor
    drops: tuple[Tensor, ...]
    grids: tuple[WindowGrid, ...]
    targets: tuple[int, ...]
    probabilities: Tensor
    error: float = 0.0
    left_out: tuple[LeftOut, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether every window was computed, in the network's own precision."""
        return not self.error and not self.left_out


class OcclusionEngine:
    """Occlusion maps of one network.

    The map equals captum's `Occlusion` on every pixel (same windows, same cut at the border, same mean), but
    for the rounding of the last digits. All classes come from one pass; of each covered field only what the
    window changes is computed, as far as the network is known to be local; and the model's mode and gradients
    stay as they were found. `explain_plan` tells what was saved.

    Args:
        model: Takes images (n, 3, H, W) to logits (n, classes). Where it has `normalise` (images to the
            network's input) and `network`, as `SmearClassifier` has, patches are covered before
            normalisation.
        mean: The data set's mean colour on the images' scale, shape (3,), for baseline `mean`.
        memory: Bytes that activations may take; by default 1 GB, on a GPU 4 GB. The maps of one uncovered
            field are kept whatever they take.
        fast: False: every window is a pass of its own.
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
        mode: Literal["exact", "adaptive"] = "exact",
        tolerance: float = 0.1,
        progress: bool = False,
    ) -> ImportanceMaps:
        """Cover window after window and record what the score loses.

        Args:
            images: Shape (n, 3, H, W), as the model takes them; moved to its device.
            targets: Classes to explain; None: all of them (none costs more than another).
            window: Side of the square window: pixels (int) or share of the longer side (float); a sequence of
                sizes averages their maps.
            stride: Step between windows, likewise.
            baseline: What covers a patch, see `baselines.cover`; `zero` is zero in the network's input.
            score: `probability`, or `logit`, which does not saturate.
            mode: `adaptive` computes every other window and more where the score drops; see
                `adaptive.LeftOut`.
            tolerance: Of `adaptive`: share of the largest drop that is not looked into.
            progress: Show a bar.

        Raises:
            ValueError: An argument that does not fit; the message says which, and what would.
        """
        if images.ndim != 4 or not len(images):
            raise ValueError(f"images have shape {tuple(images.shape)}: give (n, 3, H, W), at least one")
        if mode not in ("exact", "adaptive"):
            raise ValueError(f"mode is {mode!r}: choose exact or adaptive")
        sizes = [window] if isinstance(window, int | float) else [*window]
        grids = tuple(place_windows(images.shape[2], images.shape[3], size, stride) for size in sizes)
        with evaluating(self.model):
            inputs, covers = self.prepare(images, baseline)
            chosen = _choose_targets(targets, self._passes.count_classes(inputs))
            look = _Look(self._passes, inputs, covers, score, list(chosen))
            total = len(images) * sum(map(len, grids))
            with tqdm(total=total, desc="occlusion", unit="window", leave=False, disable=not progress) as bar:
                found = [look.at(grid, bar.update, mode, tolerance) for grid in grids]
            # Of the fields their shape alone is wanted.
            self._last = (inputs.new_zeros(()).expand(inputs.shape), grids[0])
            error = look.error(grids[0], found[0][0]) if self._passes.dtype is not None else 0.0
            drops = tuple(drop for drop, _ in found)
            spread = [grid.spread(drop) for grid, drop in zip(grids, drops, strict=True)]
        left_out = tuple(left for _, left in found if left is not None)
        importance = torch.stack(spread).mean(0)
        return ImportanceMaps(importance, drops, grids, chosen, look.probabilities, error, left_out)

    def explain_plan(self) -> str:
        """What the last `maps` computed of each covered field, stage by stage, and where the fast path ended.

        Raises:
            ValueError: There was none yet.
        """
        if self._last is None:
            raise ValueError("explain_plan tells of the last maps: call maps first")
        with evaluating(self.model):
            plan = self._passes.plan(*self._last)
        if isinstance(plan, Refusal):
            return f"every window is a full pass: {plan.reason}"
        return describe_plan(plan)

    def prepare(self, images: Tensor, baseline: Baseline) -> tuple[Tensor, Tensor]:
        """The fields, and what is seen where a window covers them, as `network` takes them."""
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


class _Look:
    """Drops of the score for the windows of several grids on the same fields."""

    def __init__(
        self, passes: Passes, inputs: Tensor, covers: Tensor, score: Score, targets: list[int]
    ) -> None:
        self.passes, self.inputs, self.covers, self.score, self.targets = (
            passes,
            inputs,
            covers,
            score,
            targets,
        )
        self.probabilities = inputs.new_empty(0)

    def at(
        self, grid: WindowGrid, report: Callable[[int], Any], mode: str, tolerance: float
    ) -> tuple[Tensor, LeftOut | None]:
        """Drops (n, targets, rows, columns)."""
        if mode == "exact":
            return self._drops(grid, np.ones(grid.shape, dtype=bool), report), None

        def evaluate(chosen: Chosen) -> Any:
            return self._drops(grid, chosen, report).flatten(0, 1).double().cpu().numpy()

        drops, left_out = refine(evaluate, grid.shape, tolerance)
        filled = torch.from_numpy(drops).to(self.inputs)
        return filled.unflatten(0, (len(self.inputs), len(self.targets))), left_out

    def error(self, grid: WindowGrid, drops: Tensor) -> float:
        """Largest error of the first field's drops among some windows that are computed again, exactly."""
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

    def _drops(self, grid: WindowGrid, chosen: Chosen, report: Callable[[int], Any]) -> Tensor:
        logits = self.passes.run(self.inputs, self.covers, grid, chosen, report)
        self.probabilities = score_classes(logits.whole, "probability")
        whole = score_classes(logits.whole, self.score)[:, None, None]
        covered = score_classes(logits.covered.flatten(0, 2), self.score).unflatten(
            0, logits.covered.shape[:3]
        )
        return (whole - covered)[..., self.targets].permute(0, 3, 1, 2)


def _choose_targets(targets: int | Sequence[int] | None, classes: int) -> tuple[int, ...]:
    chosen = range(classes) if targets is None else [targets] if isinstance(targets, int) else targets
    unknown = [target for target in chosen if not 0 <= target < classes]
    if unknown or not chosen:
        raise ValueError(f"targets are {list(chosen)}: the model has classes 0 to {classes - 1}")
    return tuple(chosen)
