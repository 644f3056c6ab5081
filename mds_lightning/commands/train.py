"""`mds-lightning train`: fit, test and explain one fold of one backbone."""

import logging
import time
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mds_lightning.cohort.folds import Fold, load_or_make_folds
from mds_lightning.cohort.manifest import Cohort, read_cohort
from mds_lightning.cohort.task import Task, make_task
from mds_lightning.commands.simulate import locate_manifest
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.datamodule import LoadingParameters, SmearDataModule
from mds_lightning.data.size import input_size
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.statistics.predictions import read_predictions, score_auroc
from mds_lightning.tracking.provenance import write_provenance
from mds_lightning.tracking.run_directory import RunDirectory, StudyDirectory
from mds_lightning.tracking.settings import refuse_changed_settings, write_settings
from mds_lightning.tracking.wandb import closing_run

log = logging.getLogger(__name__)


def train(config: DictConfig) -> float:
    """Train one fold, predict its validation, test and external images, and explain some of the test images.

    Running it again continues from what is there: a finished fold returns its result at once, an interrupted
    one goes on from `last.ckpt` and ends with the same bytes as if it had not been interrupted.

    Args:
        config: `conf/train.yaml`.

    Returns:
        AUROC on the validation images with the best checkpoint: what a sweep may maximise. Test images have
        no part in it.

    Raises:
        CohortError: The manifest has faults.
        FoldError: The study's folds.json belongs to another cohort or split.
        ChangedSettingsError: The run directory was begun with other settings.
        NonFiniteLossError: The loss is NaN or infinite.
    """
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True, throw_on_missing=True))
    run = RunDirectory(Path(config.run_directory))
    if run.config.is_file():
        refuse_changed_settings(run.config, settings)
    done = run.read_done()
    if done is not None:
        log.info("%s is finished (validation AUROC %.3f): nothing to do", run.path, done["val_auroc"])
        return float(done["val_auroc"])
    task = make_task(**config.task)
    root = Path(config.cohort.root) if config.cohort.root is not None else None
    cohort = read_cohort(locate_manifest(config), task, root, config.folds.n_splits)
    study = StudyDirectory(Path(config.paths.runs) / config.study)
    folds = load_or_make_folds(study.folds, cohort, **config.folds)
    fold = folds.fold(config.fold)
    write_settings(run.config, settings)
    hashes = {"cohort_hash": cohort.hash, "folds_hash": folds.hash}
    write_provenance(run.provenance, {"seed": config.seed, "fold": config.fold, **hashes})
    with closing_run():
        return _train_fold(config, run, cohort, task, fold)


def _train_fold(config: DictConfig, run: RunDirectory, cohort: Cohort, task: Task, fold: Fold) -> float:
    began = time.monotonic()
    datamodule = _make_datamodule(config, cohort, task, fold)
    classifier = _make_classifier(config, task, datamodule)
    trainer: lightning.Trainer = instantiate(
        config.trainer,
        callbacks=list(instantiate(config.callbacks).values()),
        logger=list(instantiate(config.logger).values()) or False,
        default_root_dir=str(run.path),
        _convert_="all",
    )
    begun = run.last_checkpoint if run.last_checkpoint.is_file() else None
    if begun is not None:
        log.info("%s continues from %s", run.path, begun.name)
    try:
        trainer.fit(classifier, datamodule=datamodule, ckpt_path=begun)
    except SystemExit:
        # Lightning ends the process with exit code 1 after Ctrl-C, which looks like a failure of ours.
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise
    best = str(run.best_checkpoint)
    trainer.test(classifier, datamodule=datamodule, ckpt_path=best, verbose=False)
    trainer.predict(classifier, datamodule=datamodule, ckpt_path=best, return_predictions=False)
    rows = read_predictions(run.predictions)
    score = score_auroc(rows[rows["split"] == "val"])
    seconds = time.monotonic() - began
    run.mark_done({"val_auroc": score, "epochs": trainer.current_epoch, "seconds": round(seconds, 1)})
    log.info(
        "%s: validation AUROC %.3f after %d epochs, %.0f s", run.path, score, trainer.current_epoch, seconds
    )
    return score


def _make_datamodule(config: DictConfig, cohort: Cohort, task: Task, fold: Fold) -> SmearDataModule:
    data = cast(dict[str, Any], OmegaConf.to_container(config.data, resolve=True))
    loading = LoadingParameters(size=input_size(cohort, data.pop("image_size"), data["max_pixels"]), **data)
    augmentation = AugmentationParameters(**config.augmentation)
    return SmearDataModule(cohort, task, fold, loading, augmentation, config.sampling.name, config.seed)


def _make_classifier(config: DictConfig, task: Task, datamodule: SmearDataModule) -> SmearClassifier:
    # The head (and without weights the whole network) starts from the seed alone.
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        return SmearClassifier(
            backbone=config.backbone.name,
            classes=list(task.classes),
            pretrained=config.backbone.pretrained,
            weights=config.backbone.weights,
            class_weights=datamodule.class_weights(),
            **config.classifier,
        )
