"""Settings of a run: writing, reading and comparing them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

import yaml

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.damaged_file import reading
from mds_lightning.cohort.json_record import refuse_repeated_keys, refuse_wrong_types
from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.recorded_files import verify_file
from mds_lightning.studies.setting_defaults import default_settings

#: Keys that do not change what a run computes.
_WITHOUT_EFFECT = (
    "study", "variant", "seeds", "seed_folder", "run_directory", "hpo", "search", "paths", "logger", "cohort",
    "cache", "explain",
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


def with_learning_rate(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the learning rate that null stands for, so that the files of the run hold it.

    Args:
        settings: Settings of `mds-lightning train`.
    """
    backbone, classifier = settings["backbone"], settings["classifier"]
    is_pretrained = bool(backbone["pretrained"] or backbone["weights"])
    rate = Hyperparameters(**classifier).with_learning_rate(is_pretrained).learning_rate
    return {**settings, "classifier": {**classifier, "learning_rate": rate}}


def read_settings(path: Path) -> dict[str, Any]:
    """Read what `write_settings` wrote.

    Raises:
        AlteredRunError: The run is finished, and the file is not the one that was recorded.
        DamagedFileError: It is not YAML in UTF-8, has a key twice, or holds no settings.
    """
    run = RunDirectory(path.parent)
    verify_file(run, path)
    remedy = f"restore it, or delete {run.path} and train the fold again"
    with reading(path, remedy):
        settings = yaml.load(path.read_bytes().decode("utf-8"), _StrictLoader)
    refuse_wrong_types(settings, StoredSettings, path, remedy)
    return dict(settings)


class StoredSettings(TypedDict, total=False):
    """Sections and keys that readers of `config.yaml` rely on."""

    study: str
    variant: str
    seed: int
    fold: int
    run_directory: str
    paths: dict[str, Any]
    cohort: dict[str, Any]
    task: dict[str, Any]
    folds: dict[str, Any]
    backbone: dict[str, Any]
    classifier: dict[str, Any]
    augmentation: dict[str, Any]
    sampling: dict[str, Any]
    data: dict[str, Any]
    cache: dict[str, Any]
    explain: dict[str, Any]
    trainer: dict[str, Any]
    hpo: dict[str, Any] | None
    logger: dict[str, Any] | None


class _StrictLoader(yaml.SafeLoader):
    """A loader of plain values that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        pairs = [(self.construct_object(key, deep=True), None) for key, _ in node.value]
        refuse_repeated_keys(pairs)
        return dict(super().construct_mapping(node, deep))


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
