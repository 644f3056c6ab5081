"""`mds-lightning train`: fit, test and explain one fold of one backbone."""

import logging
import time
from pathlib import Path
from typing import Any, cast

import lightning
from omegaconf import DictConfig, OmegaConf

from mds_lightning.callbacks.cluster import cluster_plugins
from mds_lightning.callbacks.occlusion_maps import OcclusionMaps
from mds_lightning.callbacks.origin import OriginRecord
from mds_lightning.callbacks.runtime_errors import (
    explain_runtime_errors,
    raise_interrupts,
    refuse_missing_gpu,
    retry_killed_workers,
)
from mds_lightning.cohort.folds import Fold
from mds_lightning.commands.targets import instantiate, refuse_unknown_targets
from mds_lightning.data.datamodule import PREDICTED
from mds_lightning.search.cross_validation import validate_folds
from mds_lightning.search.trial import current_trial
from mds_lightning.statistics.metrics.roc_auc import score_auroc
from mds_lightning.statistics.predictions import check_predictions, read_predictions
from mds_lightning.studies.checkpoint_io import AtomicCheckpointIO
from mds_lightning.studies.checkpoint_origin import describe_origin
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.names import refuse_unusable_name
from mds_lightning.studies.provenance import describe_file, describe_folder, write_provenance
from mds_lightning.studies.recording import finish_run
from mds_lightning.studies.run_components import build_classifier, build_datamodule
from mds_lightning.studies.run_lock import clear_failed_start, lock_run
from mds_lightning.studies.seed_folders import refuse_other_layout, refuse_seeds_of_one_run
from mds_lightning.studies.settings import refuse_changed_settings, with_learning_rate, write_settings
from mds_lightning.studies.stored_recalibration import write_recalibration
from mds_lightning.studies.study_cohort import StudyCohort, prepare_study_cohort
from mds_lightning.tracking.tracked import BEST
from mds_lightning.tracking.wandb import closing_run

log = logging.getLogger(__name__)


def train(config: DictConfig) -> float:
    """Train one fold; as the job of a search, every fold (an inner cross-validation), if it is not nested.

    Args:
        config: `conf/train.yaml`.

    Returns:
        AUROC on the validation images with the best checkpoint (in a search: its mean over the folds), which
        a sweep may maximise. Test images are not used.

    Raises:
        optuna.TrialPruned: The trial of a search is pruned.
        TargetError: The configuration names a class that it may not build (see `commands.targets`).
        ValueError: See `train_fold`.
    """
    refuse_seeds_of_one_run(config.seeds, config.seed_folder)
    refuse_unknown_targets(config)
    refuse_unusable_name("study", config.study, config.paths.runs)
    refuse_unusable_name("variant", config.variant)
    trial = current_trial(config.hpo)
    if trial is None:
        if config.search.nested:
            raise ValueError(
                "search.nested=true without a search: add -m sweep=hyperparameters, or leave it out"
            )
        return train_fold(config)

    def train_one(fold: int) -> float:
        fold_config = cast(DictConfig, OmegaConf.merge(config, {"fold": fold, "variant": config.hpo.variant}))
        return train_fold(fold_config, test=False)

    folds = [config.fold] if config.search.nested else range(config.folds.n_splits)
    return validate_folds(train_one, folds, trial)


def train_fold(config: DictConfig, test: bool = True) -> float:
    """Train one fold, predict its validation, test and external images, and explain the test images.

    A finished fold returns its result at once. An interrupted fold continues from `last.ckpt`, with the same
    result, byte for byte, as without interruption.

    Args:
        config: `conf/train.yaml`.
        test: False: predict only validation images, as for a trial of a search, which `mds-lightning test`
            completes if the trial is selected.

    Returns:
        AUROC on the validation images with the best checkpoint.

    Raises:
        CohortError: The manifest has faults.
        FoldError: The study's folds.json belongs to another cohort or split, or there is no such fold.
        ChangedSettingsError: An epoch of this run was trained with other settings.
        ValueError: See `refuse_other_layout`.
        NonFiniteLossError: The loss is NaN or infinite.
        ImageError: Images cannot be decoded (see `prepare_fields`).
        RemoteError: The remote folder of the images cannot be read.
        CacheFullError: The cache may not hold all images, or its disk is full.
        ResourceError: There is no GPU, its memory ran out, or processes that load images were killed.
        BusyRunError: Another process trains this fold.
    """
    plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True, throw_on_missing=True))
    settings = with_learning_rate(plain)
    run = RunDirectory(Path(config.run_directory))
    refuse_other_layout(run)
    _refuse_other_settings(run, settings)
    opened = prepare_study_cohort(settings)
    score = _read_score(run)
    if score is not None:
        return score
    refuse_missing_gpu(config.trainer.get("accelerator"), "trainer=cpu")
    fold = opened.folds.fold(config.fold)
    facts = {
        "seed": config.seed,
        "fold": config.fold,
        "cohort_hash": opened.cohort.hash,
        "folds_hash": opened.folds.hash,
        "manifest": describe_file(opened.cohort.manifest),
        "root": describe_folder(opened.cohort.root),
    }

    origin = describe_origin(settings, facts)

    def train_and_close() -> float:
        with closing_run():
            return _train_fold(config, settings, run, opened, fold, origin, test)

    with lock_run(run.path):
        # Another process may have trained the run before this one got the lock.
        _refuse_other_settings(run, settings)
        score = _read_score(run)
        if score is not None:
            return score
        if not run.is_begun():
            clear_failed_start(run)
        write_settings(run.config, settings)
        write_provenance(run.provenance, facts)
        return retry_killed_workers(train_and_close, config.data.max_worker_deaths)


def _refuse_other_settings(run: RunDirectory, settings: dict[str, Any]) -> None:
    """Raise if an epoch of the run was trained with other settings.

    Before the first epoch the settings may change, so that a start that failed can be corrected.
    """
    if run.is_begun() and run.config.is_file():
        refuse_changed_settings(run.config, settings)


def _read_score(run: RunDirectory) -> float | None:
    """Validation AUROC of a finished run; None if it is not finished."""
    done = run.read_done()
    if done is None:
        return None
    log.info("%s is finished (validation AUROC %.3f): nothing to do", run.path, done["val_auroc"])
    return float(done["val_auroc"])


def _train_fold(
    config: DictConfig,
    settings: dict[str, Any],
    run: RunDirectory,
    opened: StudyCohort,
    fold: Fold,
    origin: dict[str, Any],
    test: bool,
) -> float:
    began = time.monotonic()
    datamodule = build_datamodule(settings, run, opened, fold, PREDICTED if test else ("val",))
    datamodule.refuse_missing_classes()
    classifier = build_classifier(settings, opened.task, datamodule)
    trainer: lightning.Trainer = instantiate(
        config,
        "trainer",
        callbacks=[*instantiate(config, "callbacks").values(), OriginRecord(origin)],
        logger=list(instantiate(config, "logger").values()) or False,
        default_root_dir=str(run.path),
        plugins=[AtomicCheckpointIO(), *cluster_plugins()],
        _convert_="all",
    )
    resumed = run.last_checkpoint if run.last_checkpoint.is_file() else None
    if resumed is not None:
        log.info("%s continues from %s", run.path, resumed.name)
    best = str(run.best_checkpoint)
    loading = datamodule.loading
    with explain_runtime_errors(loading.batch_size, loading.size), raise_interrupts(trainer):
        trainer.fit(classifier, datamodule=datamodule, ckpt_path=resumed)
        if test:
            trainer.test(classifier, datamodule=datamodule, ckpt_path=best, verbose=False)
        trainer.predict(classifier, datamodule=datamodule, ckpt_path=best, return_predictions=False)
    rows = read_predictions(run.predictions)
    score = score_auroc(rows[rows["split"] == "val"])
    if test:
        write_recalibration(run, check_predictions(rows, str(run.predictions)))
    for logger in trainer.loggers:
        logger.log_metrics({BEST: score})
    seconds, explaining = time.monotonic() - began, _seconds_explaining(trainer)
    outcome = {
        "val_auroc": score,
        "epochs": trainer.current_epoch,
        "seconds": round(seconds, 1),
        "explain_seconds": round(explaining, 1),
    }
    finish_run(run, outcome)
    log.info(
        "%s: validation AUROC %.3f after %d epochs, %.0f s, and %.0f s for maps",
        *(run.path, score, trainer.current_epoch, seconds - explaining, explaining),
    )
    return score


def _seconds_explaining(trainer: lightning.Trainer) -> float:
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    return sum(callback.seconds for callback in callbacks if isinstance(callback, OcclusionMaps))
