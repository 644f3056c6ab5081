"""Defaults of the settings that a run stores, from their parameter classes."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import TaskParameters
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.data_parameters import DataParameters, SamplingParameters
from mds_lightning.models.hyperparameters import BackboneParameters, Hyperparameters

#: Section of the settings to its parameter class, for the sections that change results.
SECTIONS: Mapping[str, type] = {
    "task": TaskParameters,
    "folds": SplitParameters,
    "backbone": BackboneParameters,
    "classifier": Hyperparameters,
    "augmentation": AugmentationParameters,
    "sampling": SamplingParameters,
    "data": DataParameters,
}


def default_settings() -> dict[str, dict[str, Any]]:
    """Section to key to default, as plain values; keys without a default are left out."""
    return {
        section: {
            field.name: _plain(field.default) for field in fields(parameters) if field.default is not MISSING
        }
        for section, parameters in SECTIONS.items()
    }


def _plain(value: Any) -> Any:
    """`value` as YAML stores it."""
    return list(value) if isinstance(value, tuple) else value
