"""The keys of `mds-lightning train`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mds_lightning.cohort.cohort_parameters import CohortParameters
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import TaskParameters
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters
from mds_lightning.data.data_parameters import DataParameters, SamplingParameters
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.models.hyperparameters import BackboneParameters, Hyperparameters
from mds_lightning.search.job_resources import JobResources
from mds_lightning.search.search_parameters import SearchParameters


@dataclass(frozen=True)
class Paths:
    """The folders of all output.

    Attributes:
        runs: Folder of the studies.
        data: Folder of simulated cohorts and of the cache.
    """

    runs: str = "runs"
    data: str = "data"


@dataclass(frozen=True, kw_only=True)
class TrainParameters:
    """The keys of `mds-lightning train`.

    Attributes:
        study: Name of the study: its folder in paths.runs.
        fold: Index of the fold that is trained and tested, from 0.
        seed: Decides the initial weights, the order of the images and their augmentation.
        seeds: With -m: number of seeds, from `seed` on, with each of which every fold is trained.
        seed_folder: Folder of the runs of one of several seeds; set by the sweeper.
        variant: Folder of the runs that differ in the fold only: the backbone, or trial-<n> in a search
            (trial-<fold>-<n> in a nested one).
        run_directory: Folder of this run.
        hpo: Trial of a search, and whether the search is blind; set by the sweeper.
        search: How hyperparameters are searched (sweep=hyperparameters).
        resources: What one job is given on a cluster (launcher=slurm).
        cohort: Manifest and images.
        task: Labels that are classified.
        folds: How patients are split.
        backbone: Network before its head.
        classifier: How the network is trained.
        augmentation: How strongly training images are varied.
        sampling: How training images are drawn.
        explain: How the test images are explained.
        data: How images are read.
        cache: Decoded images on the disk, shared by all folds and jobs; they do not change any result.
        trainer: Arguments of lightning.Trainer.
        callbacks: Named callbacks of Lightning; ~callbacks.NAME removes one.
        logger: Named loggers of Lightning.
        paths: The folders of all output.
    """

    study: str
    fold: int = 0
    seed: int = 0
    seeds: int = 1
    seed_folder: str = ""
    variant: str
    run_directory: str
    hpo: Mapping[str, Any] = field(default_factory=dict)
    search: SearchParameters
    resources: JobResources
    cohort: CohortParameters
    task: TaskParameters
    folds: SplitParameters
    backbone: BackboneParameters
    classifier: Hyperparameters
    augmentation: AugmentationParameters
    sampling: SamplingParameters
    explain: ExplanationParameters
    data: DataParameters
    cache: CacheParameters
    trainer: Mapping[str, Any] = field(default_factory=dict)
    callbacks: Mapping[str, Any] = field(default_factory=dict)
    logger: Mapping[str, Any] = field(default_factory=dict)
    paths: Paths
