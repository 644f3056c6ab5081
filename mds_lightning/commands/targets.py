"""Objects that a configuration of `mds-lightning train` may construct through `_target_`."""

from typing import Any

from omegaconf import DictConfig

from mds_lightning.search.permitted_targets import build, refuse_other_targets, user_targets

_LIGHTNING_CALLBACKS = (
    "DeviceStatsMonitor", "EarlyStopping", "EMAWeightAveraging", "GradientAccumulationScheduler",
    "LearningRateMonitor", "ModelCheckpoint", "ModelSummary", "OnExceptionCheckpoint", "RichModelSummary",
    "RichProgressBar", "StochasticWeightAveraging", "Timer", "TQDMProgressBar",
)  # fmt: skip

#: Section of the configuration to the classes and functions that it may name.
PERMITTED = {
    "trainer": (
        "lightning.Trainer",
        "lightning.pytorch.Trainer",
        "lightning.pytorch.profilers.AdvancedProfiler",
        "lightning.pytorch.profilers.PyTorchProfiler",
        "lightning.pytorch.profilers.SimpleProfiler",
        "lightning.pytorch.strategies.DDPStrategy",
    ),
    "callbacks": (
        "mds_lightning.callbacks.early_stopping.ResumableEarlyStopping",
        "mds_lightning.callbacks.fold_checkpoint.FoldCheckpoint",
        "mds_lightning.callbacks.occlusion_maps.OcclusionMaps",
        "mds_lightning.callbacks.predictions.PredictionWriter",
        "mds_lightning.callbacks.progress.FoldProgress",
        "mds_lightning.callbacks.step_seed.StepSeed",
        "mds_lightning.callbacks.weight_averaging.WeightAveraging",
        *(f"lightning.pytorch.callbacks.{name}" for name in _LIGHTNING_CALLBACKS),
    ),
    "logger": (
        "mds_lightning.tracking.csv.MetricsFile",
        "mds_lightning.tracking.wandb.fold_logger",
        "lightning.pytorch.loggers.CSVLogger",
        "lightning.pytorch.loggers.MLFlowLogger",
        "lightning.pytorch.loggers.TensorBoardLogger",
    ),
}


def hydra_targets() -> tuple[str, ...]:
    """What Hydra itself may call: the handler of log messages, and what the user trusts."""
    return ("mds_lightning.cli.terminal.terminal_handler", *user_targets())


def refuse_unknown_targets(config: DictConfig) -> None:
    """Raise if the trainer, a callback or a logger is of a class that a configuration may not name.

    Raises:
        TargetError: With its key, and how to permit it.
    """
    for section, permitted in PERMITTED.items():
        refuse_other_targets(config[section], section, permitted)


def instantiate(config: DictConfig, section: str, **arguments: Any) -> Any:
    """Construct what a section of the configuration names.

    Args:
        config: Configuration of the command.
        section: `trainer`, `callbacks` or `logger`.
        arguments: Passed to the target; they take precedence over the keys of the section.

    Raises:
        TargetError: It names another class or function than `PERMITTED`.
        hydra.errors.InstantiationException: The construction failed.
    """
    return build(config[section], section, PERMITTED[section], **arguments)
