"""Settings of a run: writing, reading and comparing them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.studies.setting_defaults import default_settings

#: Keys that do not change what a run computes.
_WITHOUT_EFFECT = (
    "study", "variant", "seeds", "seed_folder", "run_directory", "hpo", "paths", "logger", "cohort", "cache",
    "explain",
    "callbacks.progress", "callbacks.occlusion_maps", "callbacks.checkpoint.dirpath",
    "callbacks.predictions.path", "data.num_workers", "data.max_worker_deaths", "data.max_pixels",
    "launcher", "resources",
    "trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.log_every_n_steps",
    "trainer.enable_model_summary", "trainer.enable_progress_bar",
)  # fmt: skip


class ChangedSettingsError(ValueError):
    """A run directory has other settings than those given now."""


def write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write the resolved settings (plain values) as YAML."""
    with write_atomically(path) as temporary:
        temporary.write_text(yaml.safe_dump(dict(settings), sort_keys=False))


def read_settings(path: Path) -> dict[str, Any]:
    """Read what `write_settings` wrote."""
    settings: dict[str, Any] = yaml.safe_load(path.read_text())
    return settings


def refuse_changed_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Raise if the settings in `path` would give other results than `settings`.

    A key that is absent has its default: the run was started before the key was added.

    Args:
        path: `config.yaml` of the run.
        settings: The settings given now.

    Raises:
        ChangedSettingsError: With every key that differs, both values, and the remedy.
    """
    defaults = decisive_settings(default_settings())
    stored = defaults | decisive_settings(read_settings(path))
    wanted = defaults | decisive_settings(settings)
    different = sorted(key for key in stored.keys() | wanted.keys() if stored.get(key) != wanted.get(key))
    if different:
        lines = [f"  {key}: {stored.get(key)!r} there, {wanted.get(key)!r} now" for key in different]
        raise ChangedSettingsError(
            f"{path.parent} was started with other settings:\n" + "\n".join(lines) + "\n"
            f"Give the study another name (study=NAME), or delete {path.parent} to train it again."
        )


def decisive_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key to value, for the settings that change results."""
    return {key: value for key, value in _flatten(settings) if not _has_no_effect(key)}


def nest_settings(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys to nested mappings: `{"data.batch_size": 16}` to `{"data": {"batch_size": 16}}`."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        *parents, last = key.split(".")
        node = nested
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return nested


def _has_no_effect(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in _WITHOUT_EFFECT)


def _flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
