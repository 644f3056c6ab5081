"""Occlusion maps of test images, written when a fold is tested."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from mds_lightning.callbacks.occlusion_choice import choose_rows, file_name, mean_colour, refuse_seen_images
from mds_lightning.explain.baselines import BaselineName
from mds_lightning.explain.occlusion import ImportanceMaps, OcclusionEngine
from mds_lightning.explain.overlay import draw_overlay, scale_importance
from mds_lightning.explain.parts import map_parts
from mds_lightning.explain.score import Score
from mds_lightning.tracking.run_directory import write_atomically

log = logging.getLogger(__name__)

#: Images that one call of the engine explains side by side.
_TOGETHER = 4
_OF_ENGINE = ("window", "stride", "baseline", "score")


@dataclass(frozen=True)
class MapParameters:
    """How maps are made; see `OcclusionEngine.maps`.

    Attributes:
        window: Side of the square window, pixels (int) or share of the longer side (float).
        stride: Step between windows, likewise.
        baseline: What covers a patch.
        score: What drops.
        least_drop: Below this largest drop a map is marked: scaling would hide that it says nothing. On the
            score's scale.
    """

    window: int | float = 0.125
    stride: int | float = 0.0625
    baseline: BaselineName = "background"
    score: Score = "probability"
    least_drop: float = 0.05


class OcclusionMaps(lightning.Callback):
    """Write `<image>.npz` and `<image>.png` for some of the fold's test images when it is tested.

    The model is the fold's own, and it is asked about images of patients it was not trained on and no others.
    The `.npz` holds the maps of all classes; the picture shows the explained one. Keys of the `.npz`:
    importance (float32, (classes, H, W), each class scaled to 0..1), drops (float32, (classes, rows,
    columns): score of the whole field less that of the covered one), classes, class (the explained one),
    image, row, target, probabilities, window and stride (pixels), baseline, score, fold.

    Args:
        directory: Where the files go.
        images: Test images, the same number of every class (as far as there are so many), chosen by a hash of
            their names; -1: all of them.
        target: Class whose map is drawn: the predicted one, or the true one.
        parameters: See `MapParameters`.
    """

    def __init__(
        self,
        directory: str | Path,
        images: int = 4,
        target: Literal["predicted", "true"] = "predicted",
        **parameters: Any,
    ) -> None:
        if images < -1:
            raise ValueError(
                f"callbacks.occlusion_maps.images is {images}: give a number, 0 for none or -1 for all"
            )
        if target not in ("predicted", "true"):
            raise ValueError(f"callbacks.occlusion_maps.target is {target!r}: choose predicted or true")
        self.directory = Path(directory)
        self.images = images
        self.target = target
        self.parameters = MapParameters(**parameters)

    def on_test_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Explain the chosen test images."""
        if trainer.is_global_zero and not trainer.sanity_checking:
            self.write(pl_module, trainer.datamodule)  # type: ignore[attr-defined]

    def write(self, model: lightning.LightningModule, datamodule: Any) -> list[Path]:
        """Explain the chosen test images and return the pictures' paths, in the order of the cohort."""
        rows = choose_rows(datamodule, self.images)
        mean = mean_colour(datamodule) if self.parameters.baseline == "mean" else None
        engine = OcclusionEngine(model, mean=mean)
        written = []
        with tqdm(total=len(rows), desc="occlusion maps", unit="image", leave=False) as bar:
            for start in range(0, len(rows), _TOGETHER):
                written += self._explain(engine, datamodule, rows[start : start + _TOGETHER], bar.update)
        log.info("%d occlusion maps in %s", len(written), self.directory)
        return written

    def _explain(
        self, engine: OcclusionEngine, datamodule: Any, rows: Sequence[int], report: Any
    ) -> list[Path]:
        refuse_seen_images(datamodule, rows)
        how: dict[str, Any] = {key: getattr(self.parameters, key) for key in _OF_ENGINE}
        images = torch.stack([datamodule.image(row) for row in rows])
        if datamodule.has_parts:
            # Fields that are judged part by part are explained one by one, on the pixels of the whole field.
            fields = zip(images, rows, strict=True)
            found = [(map_parts(engine, image, datamodule.parts(row), **how), 0) for image, row in fields]
        else:
            maps = engine.maps(images, **how)
            found = [(maps, position) for position in range(len(rows))]
        written = []
        records = datamodule.describe(rows).assign(row=rows).to_dict("records")
        for (maps, position), image, record in zip(found, images, records, strict=True):
            written.append(self._save(maps, position, image, record, datamodule))
            report(1)
        return written

    def _save(
        self, maps: ImportanceMaps, position: int, image: Tensor, record: dict[str, Any], datamodule: Any
    ) -> Path:
        classes: Sequence[str] = datamodule.task.classes
        probabilities = maps.probabilities[position].float().cpu().numpy()
        shown = int(record["target"]) if self.target == "true" else int(probabilities.argmax())
        importance = scale_importance(maps.importance[position].cpu().numpy())
        drops = maps.drops[0][position].float().cpu().numpy()
        path = self.directory / file_name(record["image"])
        grid = maps.grids[0]
        arrays: dict[str, Any] = {
            "importance": importance,
            "drops": drops,
            "probabilities": probabilities,
            "classes": np.array(classes),
            "class": np.array(classes[shown]),
            **{key: np.array(record[key]) for key in ("image", "row", "target", "fold")},
            **{key: np.array(getattr(grid, key)) for key in ("window", "stride")},
            **{key: np.array(getattr(self.parameters, key)) for key in ("baseline", "score")},
        }
        with write_atomically(path.with_name(f"{path.name}.npz")) as temporary:
            np.savez_compressed(temporary, **arrays)
        title = (
            f"{record['image']}   {classes[shown]}: {probabilities[shown]:.2f}   labelled {record['label']}\n"
            f"explained by the model of fold {record['fold']}, which never saw this patient in training"
        )
        largest = float(drops[shown].max())
        remark = (
            f"no area decides alone: the largest drop of the {self.parameters.score} is {largest:.3f}"
            if largest < self.parameters.least_drop
            else f"largest drop of the {self.parameters.score}: {largest:.3f}"
        )
        picture = path.with_name(f"{path.name}.png")
        with write_atomically(picture) as temporary:
            temporary.write_bytes(
                draw_overlay(image.permute(1, 2, 0).numpy(), importance[shown], title, remark)
            )
        return picture
