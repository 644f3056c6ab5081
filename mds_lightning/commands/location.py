"""The keys `cohort.manifest` and `cohort.root` of verbs that read finished studies."""

from omegaconf import DictConfig

from mds_lightning.cohort.cohort_parameters import CohortLocation


def read_location(config: DictConfig) -> CohortLocation:
    """Where the user says that the manifest and the images are.

    Args:
        config: Configuration of the verb.
    """
    return CohortLocation(**(config.get("cohort") or {}))
