"""Explains images and writes `<image>.npz` and `<image>.png`, for the callback and for the command."""

import logging
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.explain.crop_occlusion import Crop
from mds_lightning.explain.explainer import Explainer
from mds_lightning.explain.explanation_method import Explanation
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.caption import write_remark, write_title
from mds_lightning.maps.digest import digest_weights, make_fingerprint
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.fingerprint import Fingerprint
from mds_lightning.maps.image_selection import file_name
from mds_lightning.maps.importance_map import ImportanceMap
from mds_lightning.maps.map_file import has_curves, map_files, read_fingerprint, write_map
from mds_lightning.maps.overlay import render_overlay, scale_importance

log = logging.getLogger(__name__)

#: Images that are explained together.
_BATCH = 4
#: Subfolders for images that are not test images of the fold; readers of a study use test images only.
_FOLDERS = {"test": "", "external": "external", "foreign": "not_of_the_cohort"}


@dataclass(frozen=True)
class _Pending:
    explained: ExplainedImage
    pixels: Tensor
    fingerprint: Fingerprint


class MapWriter:
    """Writes the maps of one model and one method into one folder.

    A map that exists already, made with the same settings and weights from the same pixels, is not computed
    again.

    Args:
        directory: Where the files are written; external and foreign images have subfolders in it.
        model: The model; see `OcclusionEngine`.
        classes: Classes of the task.
        parameters: How images are explained.
        mean: Mean colour of the training images, (3,), for baseline `mean`.
    """

    def __init__(
        self,
        directory: Path,
        model: nn.Module,
        classes: Sequence[str],
        parameters: ExplanationParameters,
        mean: Tensor | None = None,
    ) -> None:
        self.directory = directory
        self.classes = tuple(classes)
        self.parameters = parameters
        self.explainer = Explainer(model, parameters, mean)
        self._weights = digest_weights(model)

    def file(self, explained: ExplainedImage) -> Path:
        """The `.npz` of an image; its picture has the suffix `.png`."""
        name = file_name(explained.image)
        return self.directory / _FOLDERS[explained.origin] / f"{name}.npz"

    def write(
        self,
        images: Sequence[ExplainedImage],
        read: Callable[[ExplainedImage], Tensor],
        description: str,
        crops: Callable[[ExplainedImage], Iterable[Crop]] | None = None,
        measured: Collection[str] = (),
    ) -> list[Path]:
        """Explain images and return their pictures, in the same order.

        Args:
            images: The images.
            read: Returns an image as the network receives it, uint8 (3, H, W).
            description: Of the progress bar.
            crops: Returns the crops of an image, where the prediction is the mean over crops.
            measured: Names of the images whose maps get deletion and insertion curves.

        Raises:
            ValueError: The method does not work with the network, or the windows do not fit the images.
        """
        pending: list[_Pending] = []
        bar = tqdm(
            total=len(images),
            desc=description,
            unit="image",
            leave=False,
            dynamic_ncols=True,
            # Rarely in a log file, which gets a line for each update.
            mininterval=0.1 if sys.stderr.isatty() else 30,
        )
        with bar:
            for last, explained in enumerate(images, start=1):
                pixels = read(explained)
                fingerprint = make_fingerprint(self.parameters, self._weights, pixels)
                if self._exists(explained, fingerprint, explained.image in measured):
                    bar.update(1)
                else:
                    pending.append(_Pending(explained, pixels, fingerprint))
                if pending and (len(pending) == (_BATCH if crops is None else 1) or last == len(images)):
                    self._explain(pending, bar.update, crops, measured)
                    pending = []
        return [self.file(explained).with_suffix(".png") for explained in images]

    def refuse_others(self) -> None:
        """Raise where the folder holds maps of other settings or another model, which readers would mix up.

        Raises:
            ValueError: It does.
        """
        for file, found in self._others():
            raise ValueError(
                f"{file.parent} holds maps made in another way ({self._kind.describe_difference(found)}): "
                "give output=DIR for these, or delete it"
            )

    def remove_others(self) -> None:
        """Remove maps of other settings or another model, which an interrupted run left."""
        for file, _ in self._others():
            file.unlink()
            file.with_suffix(".png").unlink(missing_ok=True)

    def _explain(
        self,
        pending: Sequence[_Pending],
        report: Callable[[int], object],
        crops: Callable[[ExplainedImage], Iterable[Crop]] | None,
        measured: Collection[str],
    ) -> None:
        if crops is None:
            explanation = self.explainer.explain(torch.stack([one.pixels for one in pending]))
        else:
            [one] = pending
            explanation = self.explainer.explain_crops(one.pixels, crops(one.explained))
        for position, one in enumerate(pending):
            made = self._make_map(one, explanation, position, one.explained.image in measured)
            write_map(made)
            drawn = render_overlay(
                one.pixels.permute(1, 2, 0).numpy(),
                made.importance[made.shown],
                write_title(made),
                write_remark(made),
            )
            # The picture is written last: its presence means that the map is complete.
            with write_atomically(made.file.with_suffix(".png")) as temporary:
                temporary.write_bytes(drawn)
            report(1)

    def _make_map(
        self, one: _Pending, explanation: Explanation, position: int, is_measured: bool
    ) -> ImportanceMap:
        probabilities = explanation.probabilities[position].cpu().numpy()
        shown = self._choose_class(one.explained, int(probabilities.argmax()))
        importance = explanation.importance[position].cpu()
        curves = None
        if is_measured:
            # The random order differs between images, and is the same in every run.
            seed = int(one.fingerprint.pixels[:8], 16)
            curves = self.explainer.measure_faithfulness(one.pixels, importance[shown], shown, seed)
        values, occlusion = importance.numpy(), explanation.occlusion
        return ImportanceMap(
            file=self.file(one.explained),
            explained=one.explained,
            classes=self.classes,
            shown=shown,
            probabilities=probabilities,
            low=values.min((1, 2)),
            high=values.max((1, 2)),
            fingerprint=one.fingerprint,
            windows=() if occlusion is None else tuple(grid.window for grid in occlusion.grids),
            stride=0 if occlusion is None else occlusion.grids[0].stride,
            drops=()
            if occlusion is None
            else tuple(drops[position].float().cpu().numpy() for drops in occlusion.drops),
            error=0.0 if occlusion is None else occlusion.error,
            curves=curves,
            importance=scale_importance(values),
        )

    def _choose_class(self, explained: ExplainedImage, predicted: int) -> int:
        if self.parameters.target == "predicted":
            return predicted
        if explained.target < 0:
            raise ValueError(
                f"explain.target=labelled: {explained.image} has no label; use explain.target=predicted"
            )
        return explained.target

    def _exists(self, explained: ExplainedImage, fingerprint: Fingerprint, is_measured: bool) -> bool:
        file = self.file(explained)
        if not (file.is_file() and file.with_suffix(".png").is_file()):
            return False
        return read_fingerprint(file) == fingerprint and (has_curves(file) or not is_measured)

    @property
    def _kind(self) -> Fingerprint:
        return make_fingerprint(self.parameters, self._weights, torch.zeros(0, dtype=torch.uint8))

    def _others(self) -> Iterator[tuple[Path, Fingerprint | None]]:
        kind = self._kind
        for name in _FOLDERS.values():
            for file in map_files(self.directory / name):
                found = read_fingerprint(file)
                if not kind.is_same_kind(found):
                    yield file, found
