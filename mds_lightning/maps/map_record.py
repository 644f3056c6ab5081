"""What is written of one explained image: the arrays of its `.npz`, and the words on its picture."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from mds_lightning.explain.methods import Explanation
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.fingerprint import Stamp
from mds_lightning.maps.overlay import scale_importance

#: test: held out in this fold; external: a patient no fold trained on; foreign: not of the cohort.
Origin = Literal["test", "external", "foreign"]

_SAID: dict[str, str] = {
    "test": "which never saw this patient in training",
    "external": "which never saw this external patient in training",
    "foreign": "NOT OF THE COHORT: whether the model knows this patient is not known",
}


@dataclass(frozen=True)
class Subject:
    """An image that is explained.

    Attributes:
        image: As in the manifest, or the path of a file that is not of the cohort.
        fold: Whose model is asked.
        origin: What the image is to that fold.
        row: Of the cohort's table; -1 for a foreign image.
        target: Index of the true class; -1 where it is not known.
        label: Of the manifest; '' where it is not known.
    """

    image: str
    fold: int
    origin: Origin = "test"
    row: int = -1
    target: int = -1
    label: str = ""


@dataclass(frozen=True)
class MapRecord:
    """One explained image.

    Attributes:
        subject: Which.
        arrays: What its `.npz` holds.
        shown: Index of the class that is drawn.
        title: Above the picture.
        remark: Below it.
    """

    subject: Subject
    arrays: dict[str, Any]
    shown: int
    title: str
    remark: str


def make_record(
    subject: Subject,
    explanation: Explanation,
    position: int,
    classes: Sequence[str],
    parameters: ExplanationParameters,
    stamp: Stamp,
) -> MapRecord:
    """Put together what is written of one image.

    Args:
        subject: The image.
        explanation: Of several images.
        position: Which of them.
        classes: Of the task.
        parameters: How it was made.
        stamp: Of what it was made.

    Raises:
        ValueError: The labelled class is to be drawn, and there is none.
    """
    probabilities = explanation.probabilities[position].cpu().numpy()
    if parameters.target == "labelled" and subject.target < 0:
        raise ValueError(
            f"explain.target=labelled: {subject.image} has no label; use explain.target=predicted"
        )
    shown = subject.target if parameters.target == "labelled" else int(probabilities.argmax())
    values = explanation.importance[position].cpu().numpy()
    arrays: dict[str, Any] = {
        "importance": scale_importance(values),
        "low": values.min((1, 2)),
        "high": values.max((1, 2)),
        "probabilities": probabilities,
        "classes": np.array(classes),
        "class": np.array(classes[shown]),
        **{key: np.array(getattr(subject, key)) for key in ("image", "row", "target", "fold", "origin")},
        **{key: np.array(getattr(parameters, key)) for key in ("method", "score")},
        **{key: np.array(value) for key, value in asdict(stamp).items()},
        **_windows(explanation, position),
    }
    if "baseline" in parameters.describe():
        arrays["baseline"] = np.array(parameters.baseline)
    title = "\n".join(
        (
            f"{subject.image}   {classes[shown]}: {probabilities[shown]:.2f}   "
            + (f"labelled {subject.label}" if subject.label else "not labelled"),
            _describe_method(arrays),
            f"explained by the model of fold {subject.fold}, {_SAID[subject.origin]}",
        )
    )
    return MapRecord(subject, arrays, shown, title, _remark(arrays, shown, explanation, parameters))


def _windows(explanation: Explanation, position: int) -> dict[str, Any]:
    """Of the engine: windows, raw drops of each size, and how exact they are."""
    maps = explanation.occlusion
    if maps is None:
        return {}
    sizes = [grid.window for grid in maps.grids]
    arrays: dict[str, Any] = {
        "window": np.array(sizes[0] if len(sizes) == 1 else sizes),
        "stride": np.array(maps.grids[0].stride),
        "error": np.array(maps.error, np.float32),
        "left_out": np.array(sum(left.share for left in maps.left_out) / len(sizes), np.float32),
    }
    for size, drops in enumerate(maps.drops):
        arrays["drops" if not size else f"drops_{size + 1}"] = drops[position].float().cpu().numpy()
    return arrays


def _describe_method(arrays: dict[str, Any]) -> str:
    method = str(arrays["method"]).replace("_", " ")
    parts = [f"of the {arrays['score']}"]
    if "window" in arrays:
        sizes = " and ".join(map(str, np.atleast_1d(arrays["window"])))
        parts.append(f"windows of {sizes} pixels every {arrays['stride']}")
    if "baseline" in arrays:
        parts.append(f"baseline {arrays['baseline']}")
    return f"{method}: {', '.join(parts)}"


def _remark(
    arrays: dict[str, Any], shown: int, explanation: Explanation, parameters: ExplanationParameters
) -> str:
    """What scaling hides, and what was not computed."""
    maps = explanation.occlusion
    low, high = float(arrays["low"][shown]), float(arrays["high"][shown])
    if maps is None:
        empty = "the map is empty: " if low == high else ""
        return f"{empty}0 to 1 stands for {low:.3g} to {high:.3g}"
    largest = max(float(drops[shown].max()) for key, drops in arrays.items() if key.startswith("drops"))
    lines = [
        f"no area decides alone: the largest drop of the {parameters.score} is {largest:.3f}"
        if largest < parameters.least_drop
        else f"largest drop of the {parameters.score}: {largest:.3f}"
    ]
    if maps.left_out:
        deviation = np.nanmax([0.0, *(left.deviation for left in maps.left_out)])
        lines.append(
            f"not exact (adaptive): {float(arrays['left_out']):.0%} of the windows were interpolated, "
            f"off by up to {deviation:.3f} where checked"
        )
    if maps.error:
        lines.append(f"not exact ({parameters.precision}): drops are off by up to {maps.error:.2g}")
    return "\n".join(lines)
