"""`mds-lightning test`: test the models of a search that were selected on validation patients."""

import logging
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning
from omegaconf import DictConfig
from tqdm.auto import tqdm

from mds_lightning.callbacks.cluster import cluster_plugins
from mds_lightning.callbacks.occlusion_maps import OcclusionMaps
from mds_lightning.callbacks.predictions import PredictionWriter
from mds_lightning.callbacks.runtime_errors import (
    explain_runtime_errors,
    raise_interrupts,
    refuse_missing_gpu,
)
from mds_lightning.commands.location import read_location
from mds_lightning.statistics.predictions import check_predictions, read_predictions
from mds_lightning.studies.checkpoint import load_checkpoint, refuse_other_patients
from mds_lightning.studies.folder_links import refuse_links_outside
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.located_settings import locate_settings
from mds_lightning.studies.pooled_rows import read_runs
from mds_lightning.studies.prediction_trainer import PredictionTrainerParameters, build_prediction_trainer
from mds_lightning.studies.recorded_maps import verify_maps
from mds_lightning.studies.recording import record_maps, replace_recorded
from mds_lightning.studies.run_components import build_datamodule
from mds_lightning.studies.run_lock import lock_run
from mds_lightning.studies.selection import choose_variants
from mds_lightning.studies.settings import read_settings
from mds_lightning.studies.stored_recalibration import write_recalibration
from mds_lightning.studies.study_cohort import StudyCohort, reopen_study_cohort

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunTest:
    """A run that has to be tested or explained.

    Attributes:
        name: `trial-3/fold-1`; with several seeds `resnet18/seed-0/fold-1`.
        run: Its directory.
        fold: Its number.
        predict: Whether its test and external images are still to be predicted.
        explain: Whether maps are still to be written.
    """

    name: str
    run: RunDirectory
    fold: int
    predict: bool
    explain: bool


def test(config: DictConfig) -> list[RunDirectory]:
    """Complete the runs of a search: predict their test and external images with their best checkpoints.

    In each fold, the complete trial with the largest ROC-AUC on the fold's validation images is tested; with
    `trials=all`, every complete trial is. Validation rows are kept. Finished work is not repeated, so an
    interrupted command can be run again. The runs of a grid are tested when they are trained; for them this
    command writes further maps.

    Args:
        config: `conf/test.yaml`.

    Returns:
        The runs that were tested or explained by this call.

    Raises:
        ValueError: There is no such study, or a run does not belong to its split or to the cohort.
        ResourceError: There is no GPU, its memory ran out, or a process that loads images was killed.
        BusyRunError: Another process trains or tests one of the runs.
    """
    if config.trials not in ("selected", "all"):
        raise ValueError(f"trials={config.trials}: choose selected or all")
    if config.maps < -1:
        raise ValueError(f"maps={config.maps}: give a number, 0 for none or -1 for all test images")
    study = StudyDirectory(Path(config.study))
    tasks = list(_list_tasks(study, config))
    if not tasks:
        log.info("%s: all runs are tested already", study.path)
    else:
        opened = reopen_study_cohort(study, tasks[0].run, read_location(config))
        for task in tasks:
            refuse_other_patients(task.run, task.fold, opened.cohort, opened.folds)
        # disable=None: no bar unless a terminal shows it.
        for task in tqdm(tasks, desc="testing", unit="run", dynamic_ncols=True, disable=None):
            _complete(task, study, opened, config)
    where = shlex.quote(str(study.path))
    log.info("evaluate it with: mds-lightning evaluate study=%s selection=inner_validation", where)
    return [task.run for task in tasks]


def _list_tasks(study: StudyDirectory, config: DictConfig) -> Iterator[RunTest]:
    pooled = read_runs(study)
    if config.trials == "selected":
        wanted = [(variant, fold) for fold, variant in choose_variants(pooled).chosen.items()]
    else:
        wanted = [(variant, fold) for variant in pooled for fold in study.runs(variant)]
    for variant, fold in wanted:
        # Of several seeds, the first one explains images; the trials of a search have one seed.
        run = study.runs(variant)[fold]
        rows = pooled[variant].of_fold(fold)
        predict = fold in rows.untested_folds
        maps = 0 if config.maps == 0 else _count_maps(run)
        images = len(rows.split("test").table)
        # A larger number of maps includes the smaller one (see `choose_rows`), so counting them is enough.
        enough = maps >= (images if config.maps == -1 else min(config.maps, images))
        explain = config.maps != 0 and (predict or not enough)
        if predict or explain:
            yield RunTest(str(run.path.relative_to(study.path)), run, fold, predict, explain)


def _count_maps(run: RunDirectory) -> int:
    folder = run.maps(read_settings(run.config)["explain"]["method"])
    return min(len(list(folder.glob(f"*.{kind}"))) for kind in ("npz", "png"))


def _complete(task: RunTest, study: StudyDirectory, opened: StudyCohort, config: DictConfig) -> None:
    settings = locate_settings(study, task.run)
    if config.num_workers is not None:
        settings["data"]["num_workers"] = config.num_workers
    refuse_missing_gpu(config.accelerator or settings["trainer"]["accelerator"], "accelerator=cpu")
    datamodule = build_datamodule(
        settings, task.run, opened, opened.folds.fold(task.fold), ("test", "external")
    )
    classifier = load_checkpoint(task.run, opened.task.classes)
    trainer = _make_trainer(task, settings, config)
    loading, best = datamodule.loading, str(task.run.best_checkpoint)
    with (
        lock_run(task.run.path),
        explain_runtime_errors(loading.batch_size, loading.size),
        raise_interrupts(trainer),
    ):
        # Without a path, Lightning would load its own checkpoint inside a SLURM job.
        if task.explain:
            folder = task.run.maps(settings["explain"]["method"])
            refuse_links_outside(task.run.path, folder, "remove the link")
            verify_maps(task.run, folder, is_being_completed=True)
            trainer.test(classifier, datamodule=datamodule, ckpt_path=best, verbose=False)
            record_maps(task.run, [folder])
        if task.predict:
            trainer.predict(classifier, datamodule=datamodule, ckpt_path=best, return_predictions=False)
            rows = check_predictions(read_predictions(task.run.predictions), str(task.run.predictions))
            write_recalibration(task.run, rows)
    log.info("%s: tested%s", task.name, " and explained" if task.explain else "")


def _make_trainer(task: RunTest, settings: dict[str, Any], config: DictConfig) -> lightning.Trainer:
    callbacks: list[lightning.Callback] = [
        PredictionWriter(task.run.predictions, keep=True, replace=partial(replace_recorded, task.run))
    ]
    if task.explain:
        parameters = settings["explain"]
        callbacks.append(OcclusionMaps(task.run.maps(parameters["method"]), config.maps, parameters))
    try:
        stored = PredictionTrainerParameters.from_settings(settings["trainer"], config.accelerator)
    except ValueError as error:
        raise ValueError(f"{task.run.config}: {error}") from error
    return build_prediction_trainer(stored, task.run.path, callbacks, cluster_plugins())
