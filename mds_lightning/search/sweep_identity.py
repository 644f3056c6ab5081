"""Identity of a sweep: what all its jobs have in common."""

from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from mds_lightning.studies.names import refuse_unusable_name
from mds_lightning.studies.settings import decisive_settings
from mds_lightning.studies.study_cohort import prepare_study_cohort

#: Keys in which the jobs of a sweep differ.
_JOB_KEYS = ("fold", "variant", "hpo")


def identify(config: DictConfig) -> dict[str, str]:
    """Flat text of everything that must not change during a sweep; `StudySweeperConf.identity` names it.

    It also draws a simulated cohort and writes the folds, once, before the jobs need them.

    Args:
        config: `conf/train.yaml` as the sweep was started, without the overrides of its jobs.

    Raises:
        ValueError: See `studies.names.refuse_unusable_name` and `studies.study_cohort.prepare_study_cohort`.
    """
    plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    settings = cast(dict[str, Any], OmegaConf.to_container(plain, resolve=True, throw_on_missing=True))
    refuse_unusable_name("study", settings["study"], settings["paths"]["runs"])
    refuse_unusable_name("variant", settings["variant"])
    kept = {key: value for key, value in settings.items() if key not in _JOB_KEYS}
    opened = prepare_study_cohort(settings)
    hashes = {"cohort": opened.cohort.hash, "folds": opened.folds.hash}
    return hashes | {key: str(value) for key, value in decisive_settings(kept).items()}
