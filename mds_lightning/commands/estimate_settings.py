"""The keys of `evaluate` and `report` that say how estimates are computed."""

from dataclasses import fields

from omegaconf import DictConfig

from mds_lightning.statistics.estimates import Settings


def read_estimate_settings(config: DictConfig) -> Settings:
    """How estimates are computed.

    Args:
        config: Configuration of the verb, with a key for each field of `Settings`.

    Raises:
        ValueError: A value is out of range.
    """
    return Settings(**{field.name: config[field.name] for field in fields(Settings)})
