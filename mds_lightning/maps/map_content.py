"""Checks of the content of a map that was read from a file: shapes, ranges and names."""

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from mds_lightning.maps.explained_image import Origin
from mds_lightning.maps.importance_map import ImportanceMap, MapRecord


def refuse_impossible_record(one: MapRecord) -> None:
    """Raise unless the arrays of a map fit each other and hold possible values.

    Raises:
        ValueError: They do not; the message names the key.
    """
    n_classes = len(one.classes)
    settings = one.settings
    possible = {
        "classes": n_classes >= 2 and len(set(one.classes)) == n_classes,
        "target": -1 <= one.explained.target < n_classes,
        "origin": one.explained.origin in get_args(Origin),
        "settings": isinstance(settings, dict) and isinstance(settings.get("method"), str),
        "probabilities": _is_finite(one.probabilities, (n_classes,))
        and bool(((one.probabilities >= 0) & (one.probabilities <= 1)).all()),
        "low": _is_finite(one.low, (n_classes,)),
        "high": _is_finite(one.high, (n_classes,)),
        "window": all(side > 0 for side in one.windows) and len(one.drops) == len(one.windows),
        "drops": all(_are_maps(drops, n_classes) for drops in one.drops),
        "error": np.isfinite(one.error) and one.error >= 0,
        "deletion": one.curves is None
        or all(
            len(curve) >= 2 and _is_finite(curve, one.curves.deletion.shape[:1])
            for curve in vars(one.curves).values()
        ),
    }
    wrong = [key for key, is_possible in possible.items() if not is_possible]
    if wrong:
        raise ValueError(f"impossible values of {', '.join(wrong)}")


def refuse_impossible_map(one: ImportanceMap) -> None:
    """Raise unless the pixels of a map fit its classes and are between 0 and 1.

    Raises:
        ValueError: They do not.
    """
    values = one.importance
    if not _are_maps(values, len(one.classes)) or values.min() < 0 or values.max() > 1:
        raise ValueError("impossible values of importance")


def _are_maps(values: NDArray[Any], n_classes: int) -> bool:
    return values.ndim == 3 and values.size > 0 and _is_finite(values, (n_classes, *values.shape[1:]))


def _is_finite(values: NDArray[Any], shape: tuple[int, ...]) -> bool:
    return (
        values.shape == shape and np.issubdtype(values.dtype, np.floating) and bool(np.isfinite(values).all())
    )
