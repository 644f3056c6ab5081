"""`mds-lightning explain`: maps of images, by the model of the fold that held out their patients."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from mds_lightning.commands.location import read_location
from mds_lightning.commands.visible_console import open_console
from mds_lightning.data.decode import decode_image
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.explain.explainer import Explainer
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.image_selection import choose_measured, mean_colour
from mds_lightning.maps.map_writer import MapWriter
from mds_lightning.studies.continuation import command_to_continue
from mds_lightning.studies.finished_run import FinishedRun, open_finished_run
from mds_lightning.studies.folder_links import refuse_links_outside
from mds_lightning.studies.recorded_maps import verify_maps
from mds_lightning.studies.recording import record_maps
from mds_lightning.studies.requested_images import find_images
from mds_lightning.studies.study import load_study

log = logging.getLogger(__name__)


def explain(config: DictConfig) -> list[Path]:
    """Explain images of a finished run, or of every fold of a study, and return the pictures.

    Args:
        config: `conf/explain.yaml`.

    Raises:
        ValueError: There is no such run or image, the run cannot be opened (see `open_finished_run`), its
            model was trained on the patient of an image, a setting is invalid, or the folder holds maps of
            other settings or weights.
    """
    if (config.run is None) == (config.study is None):
        raise ValueError(
            "give run=DIR (one fold, such as runs/demo/resnet18/fold-0) or study=DIR (every fold)"
        )
    images = OmegaConf.to_container(OmegaConf.create({"images": config.images}))
    assert isinstance(images, dict)
    console, written = open_console(), list[Path]()
    for path in _find_runs(config):
        run = open_finished_run(path, read_location(config), config.device)
        parameters = _choose_parameters(run, config)
        found = find_images(run, images["images"], config.study is not None)
        if not found:
            continue
        if config.plan:
            plan = explain_plan(run, parameters, found[0])
            console.print(plan, soft_wrap=True, highlight=False, markup=False)
            return []
        written += _write(run, parameters, found, _output(config, run, parameters))
    for folder in dict.fromkeys(picture.parent for picture in written):
        number = sum(picture.parent == folder for picture in written)
        told = f"{number} map{'' if number == 1 else 's'} in {folder}"
        console.print(told, soft_wrap=True, highlight=False, markup=False)
    return written


def explain_plan(run: FinishedRun, parameters: ExplanationParameters, image: ExplainedImage) -> str:
    """What the engine computes for each covered version of one image; nothing is written.

    Raises:
        ValueError: The method is not occlusion, or images are classified crop by crop.
    """
    if parameters.method != "occlusion":
        raise ValueError(f"plan=true works with explain.method=occlusion only, not with {parameters.method}")
    if run.datamodule.averages_crops:
        raise ValueError(
            "plan=true: there is no plan where images are classified crop by crop (data.view): every "
            "window of a crop is a full pass"
        )
    explainer = Explainer(run.model, parameters, _mean(run, parameters))
    explainer.explain(_read(run, image)[None], targets=[0])
    return explainer.engine.explain_plan()


def _find_runs(config: DictConfig) -> list[Path]:
    if config.run is not None:
        if config.variant is not None or config.seed is not None:
            raise ValueError("variant= and seed= go with study=DIR; run=DIR is of one variant and seed")
        return [Path(config.run)]
    study = load_study(config.study)
    found = {fold.index: fold.directory.path for fold in study.runs(config.variant, config.seed)}
    folds = sorted(set(study.folds["fold"]))
    missing = [str(fold) for fold in folds if fold not in found]
    if missing:
        runs = {fold.index: fold.directory for fold in study.runs(config.variant, config.seed)}
        command = command_to_continue(study.directory, runs)
        raise ValueError(
            f"study={config.study}: fold {', '.join(missing)} is missing. Train it first: {command}"
        )
    return [found[fold] for fold in folds]


def _choose_parameters(run: FinishedRun, config: DictConfig) -> ExplanationParameters:
    """The run's settings, overridden by the settings of this command."""
    given: Any = OmegaConf.to_container(config.explain, resolve=True)
    changes = {key: value for key, value in given.items() if value is not None}
    parameters = ExplanationParameters.from_settings(run.settings.get("explain", {}) | changes)
    if run.datamodule.averages_crops:
        parameters.check_crops()
    parameters.check_size(*run.datamodule.loading.size)
    return parameters


def _output(config: DictConfig, run: FinishedRun, parameters: ExplanationParameters) -> Path:
    if config.output is None:
        folder = run.directory.maps(parameters.method)
        refuse_links_outside(run.directory.path, folder)
        return folder
    output = Path(config.output)
    return output if config.study is None else output / run.directory.path.name


def _write(
    run: FinishedRun, parameters: ExplanationParameters, images: Sequence[ExplainedImage], output: Path
) -> list[Path]:
    began = time.monotonic()
    mean = _mean(run, parameters)
    verify_maps(run.directory, output, is_being_completed=True)
    writer = MapWriter(output, run.model, run.task.classes, parameters, mean)
    writer.refuse_others()
    has_crops = run.datamodule.averages_crops
    try:
        pictures = writer.write(
            images,
            lambda image: _read(run, image),
            f"explaining, fold {run.fold.index}",
            (lambda image: run.datamodule.crops(image.row)) if has_crops else None,
            choose_measured(images, parameters.faithfulness, has_crops),
        )
    finally:
        # Also the maps that were complete before an error or Ctrl-C: they are not computed again.
        record_maps(run.directory, [output])
    seconds = time.monotonic() - began
    log.info(
        "%s: %d images in %.0f s (%.2f s per image)",
        *(run.directory.path, len(pictures), seconds, seconds / len(pictures)),
    )
    return pictures


def _mean(run: FinishedRun, parameters: ExplanationParameters) -> Tensor | None:
    return mean_colour(run.datamodule) if parameters.baseline == "mean" else None


def _read(run: FinishedRun, image: ExplainedImage) -> Tensor:
    """An image as the network receives it, uint8 (3, H, W)."""
    if image.origin != "foreign":
        return run.datamodule.image(image.row)
    loading = run.datamodule.loading
    view = ResizeSpec(loading.size)(decode_image(Path(image.image), loading.max_pixels))
    return torch.from_numpy(view.copy()).permute(2, 0, 1)
