"""The keys every command knows, with their types: a typo fails at once instead of being ignored."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from mds_lightning.commands.groups import (
    AugmentationConfig,
    BackboneConfig,
    CacheConfig,
    ClassifierConfig,
    CohortConfig,
    DataConfig,
    ExplainConfig,
    FoldsConfig,
    PathsConfig,
    SamplingConfig,
    TaskConfig,
)


@dataclass
class SimulateConfig:
    """`mds-lightning simulate`."""

    cohort: CohortConfig = field(default_factory=CohortConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)
    experiment: Any = None


@dataclass
class CheckConfig:
    """`mds-lightning check`."""

    cohort: CohortConfig = field(default_factory=CohortConfig)
    task: TaskConfig = field(default_factory=TaskConfig)
    folds: FoldsConfig = field(default_factory=FoldsConfig)
    data: DataConfig = field(default_factory=DataConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)
    ignore: list[str] = field(default_factory=list)
    output: str | None = None


@dataclass
class TrainConfig:
    """`mds-lightning train`."""

    study: str = MISSING
    fold: int = 0
    seed: int = 0
    variant: str = MISSING
    run_directory: str = MISSING
    hpo: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    cohort: CohortConfig = field(default_factory=CohortConfig)
    task: TaskConfig = field(default_factory=TaskConfig)
    folds: FoldsConfig = field(default_factory=FoldsConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    classifier: ClassifierConfig = field(default_factory=ClassifierConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    explain: ExplainConfig = field(default_factory=ExplainConfig)
    data: DataConfig = field(default_factory=DataConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    trainer: dict[str, Any] = field(default_factory=dict)
    callbacks: dict[str, Any] = field(default_factory=dict)
    logger: dict[str, Any] = field(default_factory=dict)
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class EvaluateConfig:
    """`mds-lightning evaluate` and `report`."""

    study: str = MISSING
    selection: str = "none"
    aggregation: str = "mean"
    n_resamples: int = 2000
    confidence: float = 0.95
    seed: int = 0
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class FoundCohortConfig:
    """Where the cohort of a finished run is now; None: where the run says."""

    manifest: str | None = None
    root: str | None = None


@dataclass
class ExplainChangesConfig:
    """As `ExplainConfig`; None: as the run was trained with."""

    method: str | None = None
    window: Any = None
    stride: Any = None
    baseline: str | None = None
    score: str | None = None
    precision: str | None = None
    memory_gb: float | None = None
    target: str | None = None
    least_drop: float | None = None
    faithfulness: int | None = None


@dataclass
class ExplainVerbConfig:
    """`mds-lightning explain`."""

    run: str | None = None
    study: str | None = None
    variant: str | None = None
    images: Any = MISSING
    output: str | None = None
    plan: bool = False
    device: str = "auto"
    cohort: FoundCohortConfig = field(default_factory=FoundCohortConfig)
    explain: ExplainChangesConfig = field(default_factory=ExplainChangesConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class TestConfig:
    """`mds-lightning test`."""

    study: str = MISSING
    trials: str = "selected"
    maps: int = 0
    accelerator: str | None = None
    num_workers: int | None = None
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class StudyConfig:
    """`mds-lightning study`."""

    action: str = "show"
    study: str = MISSING
    storage: str | None = None
    refresh: float = 2.0
    running: str = "gone"
    entity: str | None = None
    project: str | None = None
    timeout: float = 30.0
    paths: PathsConfig = field(default_factory=PathsConfig)


SCHEMAS = {
    "simulate": SimulateConfig,
    "check": CheckConfig,
    "train": TrainConfig,
    "explain": ExplainVerbConfig,
    "test": TestConfig,
    "evaluate": EvaluateConfig,
    "report": EvaluateConfig,
    "study": StudyConfig,
}


def register_schemas() -> None:
    """Tell Hydra of every command's schema; `conf/<verb>.yaml` names it first in its defaults."""
    store = ConfigStore.instance()
    for verb, schema in SCHEMAS.items():
        store.store(name=f"{verb}_schema", node=schema, replace=True)
