"""Whether a search is blind: no validation result influences which trials are run, or how far.

A validation patient of one fold is a test patient of another. A sampler or pruner that uses the validation
results of all folds therefore uses test patients, and the performance of the selected variants is optimistic.
In a nested search (`search.nested`) neither sees another fold's results, so that every sampler is blind.
"""

from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf

#: Classes whose proposals do not depend on results.
_SAMPLERS = ("SobolSampler", "QMCSampler", "RandomSampler")

#: Entry of the identity of a search, and its values.
PROPOSALS, BLIND, ADAPTIVE = "proposals", "blind", "adaptive"


def is_blind(sampler: Any, pruner: Any, is_nested: bool = False) -> bool:
    """Whether neither the sampler nor the pruner uses results of patients that are tested.

    Args:
        sampler: Hydra configuration of an Optuna sampler.
        pruner: Hydra configuration of an Optuna pruner, None for none.
        is_nested: Whether each fold has a search of its own.
    """
    if is_nested:
        return True
    unpruned = pruner is None or _class_name(pruner) == "NopPruner"
    return unpruned and _class_name(sampler) in _SAMPLERS


def identify_proposals(sampler: Any, pruner: Any, is_nested: bool = False) -> dict[str, str]:
    """What the identity of a search says about it, so that one study is not searched both ways."""
    return {PROPOSALS: BLIND if is_blind(sampler, pruner, is_nested) else ADAPTIVE}


def complete_identity(stored: Mapping[str, str]) -> dict[str, str]:
    """The identity of a stored study, with the entry that version 0.1.0 did not write.

    Its default was TPE with pruning, so that such a search cannot be taken for a blind one.
    """
    return {**({PROPOSALS: ADAPTIVE} if stored.get("kind") == "search" else {}), **stored}


def _class_name(config: Any) -> str:
    return str(OmegaConf.select(config, "_target_")).rpartition(".")[2]
