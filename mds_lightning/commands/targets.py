"""Objects that a configuration may construct through `_target_`."""

from typing import Any

import hydra.utils
from omegaconf import DictConfig

#: Patterns of the targets that Hydra's execution policy allows.
ALLOWED_TARGETS = ("mds_lightning.*", "lightning.*", "optuna.*", "rich.*", "logging.*")


def instantiate(config: DictConfig, **arguments: Any) -> Any:
    """Construct what `config._target_` names, restricted to `ALLOWED_TARGETS`.

    Args:
        config: A node with `_target_`, or a mapping of such nodes.
        arguments: Passed to the target; they take precedence over the keys of `config`.

    Raises:
        hydra.errors.InstantiationException: The target is not allowed, or its construction failed.
    """
    return hydra.utils.instantiate(config, _execution_whitelist_=ALLOWED_TARGETS, **arguments)
