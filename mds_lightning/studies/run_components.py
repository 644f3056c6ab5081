"""The datamodule and the classifier of a run, built from its settings."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from mds_lightning.cohort.folds import Fold
from mds_lightning.cohort.task import Task
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters
from mds_lightning.data.datamodule import PREDICTED, SmearDataModule, Split
from mds_lightning.data.field_preparation import open_cache, prepare_fields
from mds_lightning.data.field_source import Fields
from mds_lightning.data.input_size import input_size
from mds_lightning.data.loading_parameters import LoadingParameters, required_resize_specs
from mds_lightning.data.stain_normalization import choose_stain
from mds_lightning.data.undecodable_images import read_skip_list
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.recorded_files import verify_file
from mds_lightning.studies.study_cohort import StudyCohort


def build_datamodule(
    settings: Mapping[str, Any],
    run: RunDirectory,
    study_cohort: StudyCohort,
    fold: Fold,
    predicted: Sequence[Split] = PREDICTED,
    use_cache: bool = True,
) -> SmearDataModule:
    """Build the datamodule of one fold.

    Args:
        settings: Settings of the run.
        run: Directory of the run, which holds `skipped.csv`.
        study_cohort: Cohort, task and folds of the study.
        fold: The patients to train, validate and test on.
        predicted: Splits that `trainer.predict` is given.
        use_cache: Decode all images first, into the cache if there is one. Without it, each image is decoded
            when it is requested, and the images that the run skipped are skipped again.

    Raises:
        ImageError: Images cannot be decoded (see `prepare_fields`).
        CacheFullError: The cache may not hold all images, or its disk is full.
    """
    verify_file(run, run.skipped)
    cohort, data = study_cohort.cohort, dict(settings["data"])
    requested, max_pixels = data.pop("image_size"), data["max_pixels"]
    data["stain"] = choose_stain(data["stain"], data.pop("stain_reference"), max_pixels)
    cache = open_cache(CacheParameters(**_cache_settings(settings)), cohort) if use_cache else None
    is_squeezed = data["view"] != "tiles"
    size = input_size(cohort, requested, max_pixels, cache, data["on_error"], is_squeezed)
    loading = LoadingParameters(size=size, **data)
    augmentation = AugmentationParameters(**settings["augmentation"])
    fields: Fields | None = None
    skipped: Collection[int]
    if use_cache:
        specs = required_resize_specs(loading, augmentation)
        fields, skipped = prepare_fields(cohort, specs, loading, cache, run.skipped)
    else:
        names = read_skip_list(run.skipped) if run.skipped.is_file() else frozenset()
        skipped = [row for row, image in enumerate(cohort.table["image"]) if image in names]
    sampling, seed = settings["sampling"]["name"], settings["seed"]
    return SmearDataModule(
        cohort, study_cohort.task, fold, loading, augmentation, sampling, seed, fields, skipped, predicted
    )


def build_classifier(settings: Mapping[str, Any], task: Task, datamodule: SmearDataModule) -> SmearClassifier:
    """Build the untrained classifier of a run; its random weights depend on `seed` alone.

    Args:
        settings: Settings of the run.
        task: The classes.
        datamodule: Gives the weights of the classes in the loss.
    """
    with torch.random.fork_rng():
        torch.manual_seed(settings["seed"])
        return SmearClassifier(
            backbone=settings["backbone"]["name"],
            classes=list(task.classes),
            pretrained=settings["backbone"]["pretrained"],
            weights=settings["backbone"]["weights"],
            class_weights=datamodule.class_weights(),
            **settings["classifier"],
        )


def _cache_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {**settings["cache"], "directory": Path(settings["cache"]["directory"])}
