"""The file of a map, `<image>.npz`: the only reader and the only writer of its keys."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.damaged_file import DamagedFileError, reading
from mds_lightning.explain.faithfulness_curves import FaithfulnessCurves
from mds_lightning.explain.removed_settings import REMOVED_SETTINGS
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.fingerprint import Fingerprint
from mds_lightning.maps.importance_map import ImportanceMap, MapRecord
from mds_lightning.maps.map_content import refuse_impossible_map, refuse_impossible_record

_REMEDY = "delete it and run mds-lightning explain, which computes it again"
_FINGERPRINT = ("settings", "model", "pixels")
_CURVES = ("deletion", "insertion", "random")
_REQUIRED = (
    *("image", "fold", "origin", "row", "target", "classes", "class"),
    *("probabilities", "importance", "low", "high", *_FINGERPRINT),
)


def map_files(folder: Path) -> list[Path]:
    """The map files in a folder, sorted by name."""
    return sorted(folder.glob("[!.]*.npz"))


def group_map_files(folders: Iterable[Mapping[str, Path]]) -> dict[str, list[Path]]:
    """Map files of several runs by method.

    Args:
        folders: For each run, method to the folder of its maps.

    Returns:
        Method to files, in the order of the runs; methods sorted by name, with occlusion first.
    """
    found: dict[str, list[Path]] = {}
    for run in folders:
        for method, folder in run.items():
            found.setdefault(method, []).extend(map_files(folder))
    return dict(sorted(found.items(), key=lambda item: (item[0] != "occlusion", item[0])))


def write_map(one: ImportanceMap) -> None:
    """Write a map to `one.file`, atomically.

    Keys: importance, low, high, probabilities, classes, class (the one that is drawn), image, fold, origin,
    row, target, label, settings (JSON), model and pixels (SHA-256); where they exist drops (drops_2, ... of
    further window sizes), window, stride, error, and the curves deletion, insertion and random. The settings
    method, score and baseline are repeated as separate keys.
    """
    settings = one.settings
    arrays: dict[str, Any] = {
        **{key: getattr(one, key) for key in ("importance", "low", "high", "probabilities")},
        "classes": np.array(one.classes),
        "class": np.array(one.classes[one.shown]),
        **{key: np.array(value) for key, value in vars(one.explained).items()},
        **{key: np.array(getattr(one.fingerprint, key)) for key in _FINGERPRINT},
        **{key: np.array(settings[key]) for key in ("method", "score", "baseline") if key in settings},
    }
    if one.windows:
        arrays["window"] = np.array(one.windows[0] if len(one.windows) == 1 else one.windows)
        arrays["stride"] = np.array(one.stride)
        arrays["error"] = np.array(one.error, np.float32)
    for size, drops in enumerate(one.drops):
        arrays[_name_drops(size)] = drops
    if one.curves is not None:
        arrays |= {key: getattr(one.curves, key) for key in _CURVES}
    with write_atomically(one.file) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_record(file: Path) -> MapRecord:
    """Read a map file without the pixels of the map.

    Raises:
        DamagedFileError: The file is damaged or lacks a key.
    """
    with _opened(file) as arrays:
        return MapRecord(**_read_fields(file, arrays))


def read_map(file: Path) -> ImportanceMap:
    """Read a map file.

    Raises:
        DamagedFileError: The file is damaged or lacks a key.
    """
    with _opened(file) as arrays:
        one = ImportanceMap(**_read_fields(file, arrays), importance=arrays["importance"])
        refuse_impossible_map(one)
        return one


def read_fingerprint(file: Path) -> Fingerprint | None:
    """The fingerprint in a map file, or None where it has none.

    Raises:
        DamagedFileError: The file is damaged.
    """
    with _opened(file) as arrays:
        return _read_fingerprint(arrays)


def has_curves(file: Path) -> bool:
    """Whether a map file holds deletion and insertion curves.

    Raises:
        DamagedFileError: The file is damaged.
    """
    with _opened(file) as arrays:
        return set(_CURVES) <= set(arrays.files)


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    with reading(file, _REMEDY), np.load(file, allow_pickle=False) as arrays:
        yield arrays


def _read_fields(file: Path, arrays: Any) -> dict[str, Any]:
    missing = [key for key in _REQUIRED if key not in arrays.files]
    fingerprint = _read_fingerprint(arrays)
    if missing or fingerprint is None:
        raise DamagedFileError(
            f"{file} lacks {', '.join(missing)}", f"it was not written by this version; {_REMEDY}"
        )
    classes = tuple(map(str, arrays["classes"]))
    target = int(arrays["target"])
    label = str(arrays["label"]) if "label" in arrays.files else classes[target] if target >= 0 else ""
    explained = ExplainedImage(
        image=str(arrays["image"]),
        fold=int(arrays["fold"]),
        origin=str(arrays["origin"]),  # type: ignore[arg-type]
        row=int(arrays["row"]),
        target=target,
        label=label,
    )
    fields: dict[str, Any] = {
        "file": file,
        "explained": explained,
        "classes": classes,
        "shown": classes.index(str(arrays["class"])),
        "fingerprint": fingerprint,
        **{key: arrays[key] for key in ("probabilities", "low", "high")},
    }
    if "window" in arrays.files:
        fields["windows"] = tuple(int(side) for side in np.atleast_1d(arrays["window"]))
        fields["stride"] = int(arrays["stride"])
        fields["error"] = float(arrays["error"])
        names = map(_name_drops, range(len(fields["windows"])))
        fields["drops"] = tuple(arrays[name] for name in names if name in arrays.files)
    if set(_CURVES) <= set(arrays.files):
        fields["curves"] = FaithfulnessCurves(*(arrays[key] for key in _CURVES))
    refuse_impossible_record(MapRecord(**fields))
    return fields


def _read_fingerprint(arrays: Any) -> Fingerprint | None:
    if not set(_FINGERPRINT) <= set(arrays.files):
        return None
    settings, model, pixels = (str(arrays[key]) for key in _FINGERPRINT)
    return Fingerprint(json.dumps(_without_removed(json.loads(settings)), sort_keys=True), model, pixels)


def _without_removed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of version 0.1.0 without the keys that exist no longer and had no effect."""
    return {
        key: value
        for key, value in settings.items()
        if key not in REMOVED_SETTINGS or value != REMOVED_SETTINGS[key]
    }


def _name_drops(size: int) -> str:
    return "drops" if size == 0 else f"drops_{size + 1}"
