"""The groups of keys that several commands share, with their types."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class SimulationConfig:
    """See `mds_lightning.cohort.simulation.simulated_cohort.SimulationParameters`."""

    patients: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    external_patients: dict[str, int] = field(default_factory=dict)
    width: int = 640
    height: int = 480
    signal: float = 1.0
    confound: float = 0.0
    sites: int = 1
    seed: int = 0


@dataclass
class CohortConfig:
    """Where the images and their table are (paths or URLs); `manifest: null` means the simulated cohort."""

    manifest: str | None = None
    root: str | None = None
    directory: str | None = None
    simulation: SimulationConfig | None = None


@dataclass
class TaskConfig:
    """Which labels are told apart."""

    name: str = MISSING
    positive: str | None = None
    negative: str | None = None
    classes: list[str] | None = None


@dataclass
class FoldsConfig:
    """How patients are split."""

    n_splits: int = 5
    seed: int = 0
    val_share: float = 0.2


@dataclass
class BackboneConfig:
    """The network before its head."""

    name: str = MISSING
    pretrained: bool = False
    weights: str | None = None


@dataclass
class ClassifierConfig:
    """See `mds_lightning.models.classifier.SmearClassifier`."""

    optimizer: str = "adamw"
    learning_rate: float = 3e-4
    weight_decay: float = 1e-2
    momentum: float = 0.9
    warmup_epochs: float = 1.0
    label_smoothing: float = 0.0
    freeze_epochs: int = 0
    dropout: float = 0.0


@dataclass
class AugmentationConfig:
    """See `mds_lightning.data.augmentation.AugmentationParameters`."""

    crop: float = 1.0
    flips: bool = False
    quarter_turns: bool = False
    rotation: float = 0.0
    shear: float = 0.0
    translation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    stain: float = 0.0
    further: list[Any] = field(default_factory=list)


@dataclass
class SamplingConfig:
    """See `mds_lightning.data.sampling`."""

    name: str = "balanced"


@dataclass
class ExplainConfig:
    """See `mds_lightning.explain.parameters.ExplanationParameters`; window and stride are int or float."""

    method: str = "occlusion"
    window: Any = 0.125
    stride: Any = 0.0625
    baseline: str = "background"
    score: str = "probability"
    precision: str = "full"
    memory_gb: float | None = None
    target: str = "predicted"
    least_drop: float = 0.05
    faithfulness: int | None = None


@dataclass
class DataConfig:
    """How images reach the network; `image_size` is the longer side or [height, width].

    See `mds_lightning.data.loading_parameters.LoadingParameters`.
    """

    image_size: Any = 320
    view: str = "whole"
    tile_overlap: float = 0.0
    magnification: float = 1.0
    stain: str | None = None
    stain_reference: str | None = None
    batch_size: int = 32
    num_workers: int = 0
    max_pixels: int = 200_000_000
    on_error: str = "raise"
    max_skipped: float = 0.05
    max_worker_deaths: int = 0


@dataclass
class CacheConfig:
    """See `mds_lightning.data.cache.CacheParameters`."""

    enabled: bool = True
    directory: str = MISSING
    max_gb: float = 100.0
    workers: int | None = None


@dataclass
class PathsConfig:
    """The only place where a path is written."""

    runs: str = "runs"
    data: str = "data"
