"""What a sweep is a sweep of: the same cohort, the same split, the same settings."""

from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from mds_lightning.commands.cohort import open_cohort
from mds_lightning.studies.settings import decisive_settings

#: Keys that the jobs of a sweep differ in by design.
_OF_A_JOB = ("fold", "variant", "hpo")


def identify(config: DictConfig) -> dict[str, str]:
    """Flat text of all that must not change while a sweep goes on; `StudySweeperConf.identity` names it.

    It also draws a simulated cohort and writes the folds, once, before the jobs need them.

    Args:
        config: `conf/train.yaml` as the sweep was started, without what its jobs override.

    Raises:
        ValueError: As `open_cohort`.
    """
    plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    settings = cast(dict[str, Any], OmegaConf.to_container(plain, resolve=True, throw_on_missing=True))
    kept = {key: value for key, value in settings.items() if key not in _OF_A_JOB}
    opened = open_cohort(config)
    hashes = {"cohort": opened.cohort.hash, "folds": opened.folds.hash}
    return hashes | {key: str(value) for key, value in decisive_settings(kept).items()}
