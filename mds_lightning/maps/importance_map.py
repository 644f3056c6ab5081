"""One explained image of a study, as `callbacks.occlusion_maps` wrote it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OcclusionMap:
    """One explained test image of one fold.

    Attributes:
        image: As in the manifest.
        fold: Whose model was asked.
        classes: Of the task.
        target: Index of the true class.
        probabilities: (classes,) of the whole image.
        importance: (classes, H, W) float32, each class scaled to 0..1 by itself.
        drops: (classes, rows, columns) float32: score of the whole image less that of the covered one.
        settings: window and stride (pixels; several windows are averaged), baseline, score; error and
            left_out, where they are not 0, of maps that are not exact.
        file: The `.npz` it was read from.
    """

    image: str
    fold: int
    classes: tuple[str, ...]
    target: int
    probabilities: NDArray[np.float64]
    importance: NDArray[np.float32]
    drops: NDArray[np.float32]
    settings: dict[str, Any]
    file: Path

    @property
    def label(self) -> str:
        """The true class."""
        return self.classes[self.target]

    @property
    def decided(self) -> str:
        """The class with the largest probability."""
        return self.classes[int(self.probabilities.argmax())]

    def of(self, name: str) -> NDArray[np.float32]:
        """(H, W) importance for the class called `name`."""
        return self.importance[self.classes.index(name)]


def read_map(file: Path) -> OcclusionMap:
    """Read one `occlusion/<image>.npz`."""
    with np.load(file, allow_pickle=False) as arrays:
        return OcclusionMap(
            str(arrays["image"]),
            int(arrays["fold"]),
            tuple(map(str, arrays["classes"])),
            int(arrays["target"]),
            arrays["probabilities"].astype(np.float64),
            arrays["importance"],
            arrays["drops"],
            {key: arrays[key].tolist() for key in ("window", "stride", "baseline", "score")}
            | {key: arrays[key].tolist() for key in ("error", "left_out") if key in arrays},
            file,
        )
