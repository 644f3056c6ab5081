"""The public door to occlusion maps: what a network's verdict loses when a patch of the field is covered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mds_lightning.explain.baselines import Baseline, cover
from mds_lightning.explain.full import batch_within, pass_in_full
from mds_lightning.explain.mode import evaluating
from mds_lightning.explain.score import Score, score_classes
from mds_lightning.explain.windows import Length, WindowGrid, place_windows

_GIGABYTE = 1 << 30
#: More fields than this in one pass gain nothing on a CPU.
_LARGEST_BATCH = 64


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
    """

    importance: Tensor
    drops: tuple[Tensor, ...]
    grids: tuple[WindowGrid, ...]
    targets: tuple[int, ...]
    probabilities: Tensor


class OcclusionEngine:
    """Occlusion maps of one network.

    The map equals captum's `Occlusion` on every pixel (same windows, same cut at the border, same mean); all
    classes come from one pass, and the model's mode and gradients stay as they were found.

    Args:
        model: Takes images (n, 3, H, W) to logits (n, classes). Where it has `normalise` (images to the
            network's input) and `network`, as `SmearClassifier` has, patches are covered before
            normalisation.
        mean: The data set's mean colour on the images' scale, shape (3,), for baseline `mean`.
        memory: Bytes that activations may take; by default 1 GB, on a GPU 4 GB.
    """

    def __init__(self, model: nn.Module, *, mean: Tensor | None = None, memory: int | None = None) -> None:
        self.model = model
        self.mean = mean
        self.memory = memory
        inner, normalise = getattr(model, "network", None), getattr(model, "normalise", None)
        pair = isinstance(inner, nn.Module) and callable(normalise)
        self._network: nn.Module = cast(nn.Module, inner) if pair else model
        self._normalise = cast(Callable[[Tensor], Tensor], normalise) if pair else None

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
        """Cover window after window and record what the score loses.

        Args:
            images: Shape (n, 3, H, W), as the model takes them; moved to its device.
            targets: Classes to explain; None: all of them (none costs more than another).
            window: Side of the square window: pixels (int) or share of the longer side (float); a sequence of
                sizes averages their maps.
            stride: Step between windows, likewise.
            baseline: What covers a patch, see `baselines.cover`; `zero` is zero in the network's input.
            score: `probability`, or `logit`, which does not saturate.
            progress: Show a bar.

        Raises:
            ValueError: An argument that does not fit; the message says which, and what would.
        """
        if images.ndim != 4:
            raise ValueError(f"images have shape {tuple(images.shape)}: give (n, 3, H, W)")
        sizes = [window] if isinstance(window, int | float) else [*window]
        grids = tuple(place_windows(images.shape[2], images.shape[3], size, stride) for size in sizes)
        with evaluating(self.model):
            inputs, covers = self._prepare(images, baseline)
            whole = self._network(inputs)
            scores = score_classes(whole, score)
            chosen = _choose_targets(targets, scores.shape[1])
            drops = []
            total = len(images) * sum(map(len, grids))
            with tqdm(total=total, desc="occlusion", unit="window", leave=False, disable=not progress) as bar:
                for grid in grids:
                    logits = self._pass(inputs, covers, grid, bar.update)
                    covered = score_classes(logits.flatten(0, 1), score).unflatten(0, logits.shape[:2])
                    drop = (scores[:, None] - covered)[:, :, list(chosen)]
                    drops.append(drop.transpose(1, 2).unflatten(2, grid.shape))
            spread = [grid.spread(drop) for grid, drop in zip(grids, drops, strict=True)]
        return ImportanceMaps(
            torch.stack(spread).mean(0), tuple(drops), grids, chosen, score_classes(whole, "probability")
        )

    def _prepare(self, images: Tensor, baseline: Baseline) -> tuple[Tensor, Tensor]:
        """The fields and their covers as the network takes them."""
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

    def _pass(self, inputs: Tensor, covers: Tensor, grid: WindowGrid, report: Callable[[int], Any]) -> Tensor:
        memory = self.memory or (_GIGABYTE if inputs.device.type == "cpu" else 4 * _GIGABYTE)
        batch = min(batch_within(self._network, inputs, memory), _LARGEST_BATCH)
        return pass_in_full(self._network, inputs, covers, grid, batch, report)


def _choose_targets(targets: int | Sequence[int] | None, classes: int) -> tuple[int, ...]:
    chosen = range(classes) if targets is None else [targets] if isinstance(targets, int) else targets
    unknown = [target for target in chosen if not 0 <= target < classes]
    if unknown or not chosen:
        raise ValueError(f"targets are {list(chosen)}: the model has classes 0 to {classes - 1}")
    return tuple(chosen)
