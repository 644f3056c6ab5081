"""Maps of test images, written when a fold is tested."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning
import torch

from mds_lightning.explain.crop_occlusion import Part
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.methods import last_feature_layer, refuse_parts
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.image_selection import choose_rows, mean_colour, refuse_seen_images
from mds_lightning.maps.map_record import Subject
from mds_lightning.maps.map_writer import MapWriter

log = logging.getLogger(__name__)


class OcclusionMaps(lightning.Callback):
    """Write `<image>.npz` and `<image>.png` for the fold's test images when it is tested.

    The model is the fold's own, and it is asked about images of patients it was not trained on and no others.
    The `.npz` holds the maps of all classes; the picture shows the explained one. Keys of the `.npz`:
    importance (float32, (classes, H, W), each class scaled to 0..1), low and high (float32, (classes,): what
    0 and 1 stand for), probabilities, classes, class (the explained one), image, row, target, fold, origin
    (test, external or foreign), method, score, baseline, settings (JSON), model and pixels (SHA-256). Of
    method `occlusion` also drops (float32, (classes, rows, columns): score of the whole field less that of
    the covered one; drops_2, ... of further window sizes), window and stride (pixels), error and left_out
    (0 where the map is exact).

    Args:
        directory: Where the files go. Maps in it that were made otherwise are removed.
        images: Test images, the same number of every class (as far as there are so many), chosen by a hash of
            their names; -1: all that are tested.
        parameters: See `ExplanationParameters`.

    Attributes:
        seconds: What the maps of the last test took.
        written: Their pictures, on this process.
    """

    def __init__(
        self, directory: str | Path, images: int = -1, parameters: Mapping[str, Any] | None = None
    ) -> None:
        if images < -1:
            raise ValueError(
                f"callbacks.occlusion_maps.images is {images}: give a number, 0 for none or -1 for all"
            )
        self.directory = Path(directory)
        self.images = images
        self.parameters = ExplanationParameters(**(parameters or {}))
        self.seconds = 0.0
        self.written: list[Path] = []

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Refuse what cannot be explained so before hours are spent on training it."""
        if not self.images:
            return
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]
        height, width = datamodule.loading.size
        if datamodule.averages_crops:
            refuse_parts(self.parameters)
        self.parameters.check_size(height, width)
        if self.parameters.method == "layer_gradcam":
            network: Any = pl_module.network
            with evaluating(network):
                last_feature_layer(network, torch.zeros(1, 3, height, width, device=pl_module.device))

    def on_test_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Explain the chosen test images, each process its share of them."""
        began = time.monotonic()
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]
        count = sum(trainer.num_test_batches) * datamodule.loading.batch_size * trainer.world_size
        tested = {row for place, row in enumerate(datamodule.rows("test")) if place < count}
        rows = [row for row in choose_rows(datamodule, self.images) if row in tested]
        # Lightning tests in inference mode, where nothing has a gradient.
        with torch.inference_mode(False):
            self._write(trainer, pl_module, datamodule, rows)
        self.seconds = time.monotonic() - began
        if rows and trainer.is_global_zero:
            log.info(
                "explained %d test images in %s: %.0f s (%.2f s an image)",
                *(len(rows), self.directory, self.seconds, self.seconds / len(rows)),
            )

    def _write(
        self, trainer: lightning.Trainer, model: lightning.LightningModule, datamodule: Any, rows: list[int]
    ) -> None:
        if not rows:
            return
        mean = mean_colour(datamodule) if self.parameters.baseline == "mean" else None
        writer = MapWriter(self.directory, model, datamodule.task.classes, self.parameters, mean)
        if trainer.is_global_zero:
            writer.remove_others()
        trainer.strategy.barrier()
        share = rows[trainer.global_rank :: trainer.world_size]
        subjects = describe_subjects(datamodule, share)
        self.written = writer.write(
            subjects, lambda subject: datamodule.image(subject.row), "explaining", parts_of(datamodule)
        )


def parts_of(datamodule: Any) -> Callable[[Subject], Iterable[Part]] | None:
    """What gives the parts of an image of the cohort; None where the verdict is that for the whole."""
    return (lambda subject: datamodule.crops(subject.row)) if datamodule.averages_crops else None


def describe_subjects(datamodule: Any, rows: list[int]) -> list[Subject]:
    """What is known of images of the fold's test split, or of the external cohort.

    Raises:
        ValueError: The fold's model has seen a patient (see `refuse_seen_images`).
    """
    refuse_seen_images(datamodule, rows)
    table = datamodule.describe(rows)
    return [
        Subject(
            str(record["image"]),
            int(record["fold"]),
            "external" if record["split"] == "external" else "test",
            row,
            int(record["target"]),
            str(record["label"]),
        )
        for row, record in zip(rows, table.to_dict("records"), strict=True)
    ]
