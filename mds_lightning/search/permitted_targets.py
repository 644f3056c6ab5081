"""Objects that a configuration may name in `_target_`: exact names of classes and functions, no packages.

A `_target_` chooses code that runs. Permitting a package would not protect: most contain a function that
builds or runs anything. Only configurations that the user composes are built; those of finished studies are
data.
"""

import os
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import hydra.utils
from omegaconf import OmegaConf

#: Environment variable: names, separated by commas, that the user also trusts.
VARIABLE = "MDS_LIGHTNING_TARGETS"

_SAMPLERS = ("BruteForce", "CmaEs", "GP", "Grid", "QMC", "Random", "TPE")
SAMPLERS = (
    *(f"optuna.samplers.{name}Sampler" for name in _SAMPLERS),
    "hydra_plugins.hydra_optuna_sweeper._impl.create_nsgaii_sampler",
    "hydra_plugins.hydra_optuna_sweeper._impl.create_nsgaiii_sampler",
    "mds_lightning.search.sobol_sampler.SobolSampler",
)

PRUNERS = tuple(
    f"optuna.pruners.{name}Pruner"
    for name in (
        "Hyperband", "Median", "Nop", "Patient", "Percentile", "SuccessiveHalving", "Threshold", "Wilcoxon",
    )
)  # fmt: skip

#: Functions that `hydra.sweeper.identity` may name.
IDENTITIES = ("mds_lightning.search.sweep_identity.identify",)


class TargetError(ValueError):
    """A configuration names a class or function that it may not use."""


def user_targets() -> tuple[str, ...]:
    """The names in the environment variable `MDS_LIGHTNING_TARGETS`."""
    return tuple(name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip())


def refuse_other_targets(config: Any, key: str, permitted: Sequence[str]) -> None:
    """Raise if a configuration names anything but `permitted` and the names that the user trusts.

    Args:
        config: A node of the composed configuration.
        key: Its key, for messages.
        permitted: Dotted names.

    Raises:
        TargetError: With the key, the name and how to permit it.
    """
    plain = OmegaConf.to_container(config) if OmegaConf.is_config(config) else config
    for where, target in _named_targets(plain, key):
        refuse_other_name(target, where, permitted)


def refuse_other_name(name: object, key: str, permitted: Sequence[str]) -> None:
    """Raise if `name`, the value of `key`, is neither permitted nor trusted by the user.

    Raises:
        TargetError: With the key, the name and how to permit it.
    """
    names = (*permitted, *user_targets())
    if name not in names:
        near = get_close_matches(str(name), names, n=1, cutoff=0.8)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise TargetError(
            f"{key}={name}: a configuration cannot use this class or function, because it may run any code."
            f"{hint} If you trust it, set the environment variable {VARIABLE}={name} (several names are "
            "separated by commas) and give the command again."
        )


def build(config: Any, key: str, permitted: Sequence[str], **arguments: Any) -> Any:
    """Construct what a configuration names.

    Args:
        config: A node with `_target_`, or a mapping of such nodes.
        key: Its key, for messages.
        permitted: Dotted names that it may contain.
        arguments: Passed to the target; they take precedence over the keys of `config`.

    Raises:
        TargetError: It contains another name.
        hydra.errors.InstantiationException: The construction failed.
    """
    refuse_other_targets(config, key, permitted)
    policy = hydra.utils.execution_whitelist((*permitted, *user_targets()), reset=True)
    return hydra.utils.instantiate(config, _execution_whitelist_=policy, **arguments)


def find_function(name: str, key: str, permitted: Sequence[str]) -> Any:
    """The function with a dotted name.

    Raises:
        TargetError: It is not permitted.
    """
    return build(OmegaConf.create({"_target_": name, "_partial_": True}), key, permitted)


def _named_targets(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield f"{key}._target_", node["_target_"]
        for name, value in node.items():
            yield from _named_targets(value, f"{key}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _named_targets(value, f"{key}[{index}]")
