"""Maps of test images, written when a fold is tested."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch

from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.method_registry import find_method
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.image_selection import choose_measured, choose_rows, describe_images, mean_colour
from mds_lightning.maps.map_writer import MapWriter

log = logging.getLogger(__name__)


class OcclusionMaps(lightning.Callback):
    """Write `<image>.npz` and `<image>.png` for the fold's test images when it is tested.

    Images are explained by the fold's own model, which was not trained on their patients. The `.npz` holds
    the maps of all classes (see `maps.map_file.write_map`), the picture shows one.

    Args:
        directory: Where the files are written. Maps in it that were made with other settings are removed.
        images: Test images, the same number of every class (as far as there are enough), chosen by a hash of
            their names; -1: all that are tested.
        parameters: See `ExplanationParameters`.

    Attributes:
        seconds: Duration of explaining in the last test.
        written: Pictures that this process wrote.
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
        self.parameters = ExplanationParameters.from_settings(parameters or {})
        self.seconds = 0.0
        self.written: list[Path] = []

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Refuse, before training, settings by which the test images cannot be explained."""
        if not self.images:
            return
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]
        height, width = datamodule.loading.size
        if datamodule.averages_crops:
            self.parameters.check_crops()
        self.parameters.check_size(height, width)
        network: Any = pl_module.network
        with evaluating(network):
            example = torch.zeros(1, 3, height, width, device=pl_module.device)
            find_method(self.parameters.method).check_network(network, example)

    def on_test_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Explain the chosen test images; each process explains a part of them."""
        began = time.monotonic()
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]
        count = sum(trainer.num_test_batches) * datamodule.loading.batch_size * trainer.world_size
        tested = {row for place, row in enumerate(datamodule.rows("test")) if place < count}
        rows = [row for row in choose_rows(datamodule, self.images) if row in tested]
        # Lightning tests in inference mode, where gradients are not available.
        with torch.inference_mode(False):
            if rows:
                self._write(trainer, pl_module, datamodule, rows)
        self.seconds = time.monotonic() - began
        if rows and trainer.is_global_zero:
            log.info(
                "explained %d test images in %s: %.0f s (%.2f s per image)",
                *(len(rows), self.directory, self.seconds, self.seconds / len(rows)),
            )

    def _write(
        self,
        trainer: lightning.Trainer,
        model: lightning.LightningModule,
        datamodule: Any,
        rows: Sequence[int],
    ) -> None:
        mean = mean_colour(datamodule) if self.parameters.baseline == "mean" else None
        writer = MapWriter(self.directory, model, datamodule.task.classes, self.parameters, mean)
        if trainer.is_global_zero:
            writer.remove_others()
        trainer.strategy.barrier()
        images = describe_images(datamodule, rows)
        measured = choose_measured(images, self.parameters.faithfulness, datamodule.averages_crops)

        def read(one: ExplainedImage) -> torch.Tensor:
            pixels: torch.Tensor = datamodule.image(one.row)
            return pixels

        self.written = writer.write(
            images[trainer.global_rank :: trainer.world_size],
            read,
            "explaining",
            (lambda one: datamodule.crops(one.row)) if datamodule.averages_crops else None,
            measured,
        )
